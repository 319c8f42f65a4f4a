/** What the keys do, in a dialog that any page opens. */
import { Dialog } from "@base-ui/react/dialog";
import { KEYS } from "./key-words.ts";

export function Help({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog">
          <Dialog.Title>Keys</Dialog.Title>
          <dl className="help">
            {KEYS.map(([keys, says]) => (
              <Entry key={keys} keys={keys} says={says} />
            ))}
          </dl>
          <div className="ends">
            <Dialog.Close className="button">Close</Dialog.Close>
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Entry({ keys, says }: { keys: string; says: string }) {
  return (
    <>
      <dt>
        {keys.split(" ").map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{says}</dd>
    </>
  );
}
