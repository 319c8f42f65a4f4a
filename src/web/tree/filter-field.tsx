/**
 * Where the filter is typed: it says what could come next, with the keys of any list of suggestions, and marks what means nothing
 * where it stands.
 *
 * F1  Nothing is put in that was not chosen: Enter with nothing chosen goes to the tree.
 */
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { type Completion, completed, completionAt, type Offer } from "../../fleet/completion.ts";
import type { Complaint } from "../../fleet/filter.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { visibleLine } from "../parts/format.ts";
import { Icon } from "../parts/icons.tsx";

interface Given {
  readonly text: string;
  readonly fleet: Fleet;
  readonly complaints: readonly Complaint[];
  readonly onText: (text: string) => void;
}

export function FilterField({ text, fleet, complaints, onText }: Given) {
  const input = useRef<HTMLInputElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [caret, setCaret] = useState(0);
  const [chosen, setChosen] = useState(-1);
  const completion = useMemo<Completion | undefined>(
    () => (isOpen ? completionAt(text, caret, fleet) : undefined),
    [isOpen, text, caret, fleet],
  );
  const offers = completion?.offers ?? [];
  const isShown = offers.length > 0 || (completion?.hint ?? "") !== "";
  const show = (open: boolean) => {
    setOpen(open);
    setChosen(-1);
  };
  const take = (offer: Offer | undefined) => {
    if (!completion || !offer) return;
    const next = completed(text, completion, offer);
    onText(next.text);
    setCaret(next.caret);
    // A field waits for its value; after a value the next term may be another day's.
    show(!next.text.slice(0, next.caret).endsWith(" "));
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(next.caret, next.caret);
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && !isOpen) {
      show(true);
    } else if (step !== 0 && offers.length > 0) {
      setChosen((before) => (before + step + (before < 0 && step < 0 ? 1 : 0) + offers.length) % offers.length);
    } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) take(offers[chosen]);
    else if (event.key === "Escape" && chosen >= 0) show(false);
    else if (event.key === "Escape" && text !== "") {
      onText("");
      show(false);
    } else if (event.key === "Enter" || event.key === "Escape" || step !== 0) toTree();
    else return;
    event.preventDefault();
  };
  return (
    <div className="filter">
      <Icon name="search" size={14} />
      <div className="mirror" ref={mirror} aria-hidden="true">
        {markedOf(text, complaints)}
      </div>
      <input
        ref={input}
        id="filter"
        className="field"
        type="text"
        role="combobox"
        autoComplete="off"
        spellCheck={false}
        aria-label="Filter"
        aria-autocomplete="list"
        aria-expanded={isShown}
        aria-controls="filter-offers"
        aria-invalid={complaints.length > 0}
        aria-describedby="found"
        {...(chosen >= 0 && { "aria-activedescendant": `offer-${chosen}` })}
        placeholder="Filter: status:failed level>6 cost>2 name:foo"
        value={text}
        onFocus={() => show(true)}
        onBlur={() => show(false)}
        onClick={() => show(true)}
        onChange={({ target }) => {
          onText(target.value);
          setCaret(target.selectionStart ?? target.value.length);
          show(target.value === "" || !target.value.endsWith(" "));
        }}
        onSelect={({ currentTarget }) => setCaret(currentTarget.selectionStart ?? 0)}
        onScroll={({ currentTarget }) => {
          if (mirror.current) mirror.current.scrollLeft = currentTarget.scrollLeft;
        }}
        onKeyDown={onKeyDown}
      />
      {text === "" && <kbd>/</kbd>}
      {text !== "" && (
        <button type="button" className="button plain square" aria-label="Clear the filter" onClick={() => onText("")}>
          <Icon name="close" size={12} />
        </button>
      )}
      <div className="offers" hidden={!isShown}>
        <div id="filter-offers" role="listbox" aria-label="What could come next">
          {offers.map((offer, index) => (
            <div
              key={offer.insert}
              id={`offer-${index}`}
              role="option"
              aria-selected={index === chosen}
              onMouseDown={(event) => {
                // The field keeps the focus.
                event.preventDefault();
                take(offer);
              }}
            >
              <bdi>{visibleLine(offer.insert)}</bdi>
              <span>{offer.says}</span>
            </div>
          ))}
        </div>
        {offers.length === 0 && <p>{completion?.hint}</p>}
        {offers.length > 0 && (
          <p aria-hidden="true">
            <kbd>↑</kbd> <kbd>↓</kbd> choose <kbd>Tab</kbd> put in <kbd>Enter</kbd> to the tree · <b>-</b> before a
            term: not
          </p>
        )}
      </div>
    </div>
  );
}

function toTree(): void {
  document.querySelector<HTMLElement>("[role=treegrid]")?.focus();
}

/** The text once more, unseen but for the lines under what means nothing. */
function markedOf(text: string, complaints: readonly Complaint[]) {
  const pieces = [];
  let done = 0;
  for (const { from, to } of complaints) {
    pieces.push(text.slice(done, from), <u key={from}>{text.slice(from, to)}</u>);
    done = to;
  }
  return [...pieces, text.slice(done)];
}
