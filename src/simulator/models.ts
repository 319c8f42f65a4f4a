/**
 * The models that the simulator lists, and the shortest prefix that each one caches, in tokens. Any other model name
 * is served too. Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching, "Cache limitations", as
 * quoted by several gateways' documentation by 2026-10; where they disagree, the later one.
 */

interface ModelFacts {
  readonly name: string;
  readonly cacheableTokensMin: number;
}

const MODELS: Readonly<Record<string, ModelFacts>> = {
  "claude-fable-5": { name: "Claude Fable 5", cacheableTokensMin: 512 },
  "claude-opus-5": { name: "Claude Opus 5", cacheableTokensMin: 512 },
  "claude-opus-4-8": { name: "Claude Opus 4.8", cacheableTokensMin: 1_024 },
  "claude-opus-4-7": { name: "Claude Opus 4.7", cacheableTokensMin: 2_048 },
  "claude-opus-4-6": { name: "Claude Opus 4.6", cacheableTokensMin: 4_096 },
  "claude-opus-4-5": { name: "Claude Opus 4.5", cacheableTokensMin: 4_096 },
  "claude-opus-4-1": { name: "Claude Opus 4.1", cacheableTokensMin: 1_024 },
  "claude-sonnet-5": { name: "Claude Sonnet 5", cacheableTokensMin: 1_024 },
  "claude-sonnet-4-6": { name: "Claude Sonnet 4.6", cacheableTokensMin: 1_024 },
  "claude-sonnet-4-5": { name: "Claude Sonnet 4.5", cacheableTokensMin: 1_024 },
  "claude-haiku-4-5": { name: "Claude Haiku 4.5", cacheableTokensMin: 4_096 },
  "claude-3-5-haiku": { name: "Claude Haiku 3.5", cacheableTokensMin: 2_048 },
  "claude-3-haiku": { name: "Claude Haiku 3", cacheableTokensMin: 2_048 },
};

const CACHEABLE_TOKENS_MIN_DEFAULT = 1_024;

/** The shortest prefix that the model caches. A dated name (`claude-haiku-4-5-20251001`) counts as its family. */
export function cacheableTokensMin(model: string): number {
  const family = Object.keys(MODELS).find((id) => model === id || new RegExp(`^${id}-\\d{8}$`).test(model));
  return (family && MODELS[family]?.cacheableTokensMin) || CACHEABLE_TOKENS_MIN_DEFAULT;
}

/** `GET /v1/models/{id}`; undefined when it is not listed. */
export function modelInfo(id: string): object | undefined {
  const facts = MODELS[id];
  return facts && { type: "model", id, display_name: facts.name, created_at: "1970-01-01T00:00:00Z" };
}

/** `GET /v1/models`, all on one page. */
export function modelList(): object {
  const ids = Object.keys(MODELS);
  return { data: ids.map(modelInfo), has_more: false, first_id: ids[0], last_id: ids.at(-1) };
}
