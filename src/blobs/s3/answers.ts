/**
 * What S3 answers, as far as it is needed: flat lists of elements whose texts have no markup of their own. Keys are asked for in
 * their URL encoding, and ours need none, so that an element's text is what stands between its tags.
 */

/** The text of the first element of that name; undefined when there is none. */
export function textOf(xml: string, name: string): string | undefined {
  const opening = xml.indexOf(`<${name}>`);
  if (opening < 0) return undefined;
  const from = opening + name.length + 2;
  const to = xml.indexOf(`</${name}>`, from);
  return to < 0 ? undefined : unescaped(xml.slice(from, to));
}

/** The insides of all elements of that name, which must not hold one another. */
export function* elementsOf(xml: string, name: string): Generator<string> {
  const [begin, end] = [`<${name}>`, `</${name}>`];
  for (let at = xml.indexOf(begin); at >= 0; at = xml.indexOf(begin, at)) {
    const to = xml.indexOf(end, at);
    if (to < 0) return;
    yield xml.slice(at + begin.length, to);
    at = to + end.length;
  }
}

/** A short word, such as `SlowDown`, or undefined: nothing else of an answer is fit for an error. */
export function codeOf(xml: string): string | undefined {
  const code = textOf(xml, "Code");
  return code !== undefined && /^\w{1,64}$/.test(code) ? code : undefined;
}

/** Without quotes, as it is compared and sent. */
export function etagOf(text: string | null | undefined): string {
  return (text ?? "").replace(/^(?:W\/)?"|"$/g, "");
}

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', apos: "'", lt: "<", gt: ">", amp: "&", "#34": '"' };

function unescaped(text: string): string {
  return text.replace(/&(quot|apos|lt|gt|amp|#34);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
