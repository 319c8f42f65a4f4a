import { describe, expect, test } from "vitest";
import { linkTo, placeOf } from "../../../src/web/shell/place.ts";

describe("links", () => {
  test.each([
    { page: "tree", filter: 'status:failed name:"a b"', top: "01abc", agent: "01def", part: "about" },
    { page: "agent", agent: "01def", part: "checkpoints" },
    { page: "agent", agent: "01def", part: "" },
    { page: "cost", by: "level" },
    { page: "triage" },
  ] as const)("%j leads to where it came from", (place) => {
    expect(placeOf(linkTo(place))).toMatchObject(place);
  });

  test("what is no link of ours leads to the first page, and no odd id comes through", () => {
    expect(placeOf("")).toMatchObject({ page: "triage", agent: "" });
    expect(placeOf("#/nowhere?agent=../x")).toMatchObject({ page: "triage", agent: "" });
    expect(placeOf("#/agent/%3Cscript%3E")).toMatchObject({ page: "agent", agent: "" });
  });
});
