import fc from "fast-check";
import { expect, test } from "vitest";
import type { ApiMessage } from "../../../src/drivers/claude/conversation.ts";
import { StandIns } from "../../../src/drivers/claude/stand-ins.ts";

let made = 0;
const uuid = () => `uuid-${made++}`;
const user = (...texts: string[]): ApiMessage => ({
  role: "user",
  content: texts.map((text) => ({ type: "text", text })),
});
const assistant = (text: string): ApiMessage => ({ role: "assistant", content: [{ type: "text", text }] });
const REMINDER = { type: "text", text: "<system-reminder>It is Monday.</system-reminder>" };
const CACHED = { cache_control: { type: "ephemeral" } };

/** A request as Claude Code writes it, told one word after the other, each but the last answered. */
function request(words: readonly string[], instructions: string): string {
  const messages = words.flatMap((word, at) => {
    const isLast = at === words.length - 1;
    const said = {
      role: "user",
      content: [...(at === 0 ? [REMINDER] : []), { type: "text", text: word, ...(isLast && CACHED) }],
    };
    return isLast ? [said] : [said, assistant(`answer ${at}`)];
  });
  return JSON.stringify({
    model: "m",
    messages,
    system: [{ type: "text", text: instructions, ...CACHED }],
    max_tokens: 9,
  });
}

test("V1: what was meant stands where the word was said, the marks of the cache at its end", () => {
  const standIns = new StandIns(uuid);
  const [system, first, second] = [standIns.make(), standIns.make(), standIns.make()] as const;
  standIns.mean(system, [user('Be "brief".')]);
  standIns.mean(first, [user("One.", "Two."), assistant("Hm."), user("Three.", "$& $1")]);
  standIns.mean(second, [user("Four.")]);
  expect(JSON.parse(standIns.fill(request([first, second], system)))).toEqual({
    model: "m",
    messages: [
      { role: "user", content: [REMINDER, ...user("One.", "Two.").content] },
      assistant("Hm."),
      user("Three.", "$& $1"),
      assistant("answer 0"),
      { role: "user", content: [{ type: "text", text: "Four.", ...CACHED }] },
    ],
    system: [{ type: "text", text: 'Be "brief".', ...CACHED }],
    max_tokens: 9,
  });
});

test("V1: whatever was meant, the request stays what it says but for the words", () => {
  const texts = fc.array(fc.string({ unit: "binary", minLength: 1 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(texts, fc.array(fc.tuple(fc.string(), texts), { maxLength: 3 }), (opening, more) => {
      const standIns = new StandIns(uuid);
      const word = standIns.make();
      const meant = [user(...opening), ...more.flatMap(([answer, next]) => [assistant(answer), user(...next)])];
      standIns.mean(word, meant);
      const { messages } = JSON.parse(standIns.fill(request([word], "Be brief.")));
      delete messages.at(-1).content.at(-1).cache_control;
      messages[0].content.shift();
      expect(messages).toEqual(JSON.parse(JSON.stringify(meant)));
    }),
  );
});

test("V2: a request without the word, with it in another form or twice, or with one that means nothing yet, is not sent", () => {
  const standIns = new StandIns(uuid);
  const word = standIns.make();
  expect(() => standIns.fill(request([word], ""))).toThrow(/not known yet/);
  standIns.mean(word, [user("One.")]);
  for (const body of [request(["another"], ""), request([`${word} and more`], ""), request([word], word)]) {
    expect(() => standIns.fill(body)).toThrow(/another form/);
  }
});
