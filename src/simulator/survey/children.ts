/** How children are named and told what to do; and how a child reads what it was told. */
import { hash } from "node:crypto";
import { LIMITS } from "../../base/limits.ts";

export function childTask(path: string): string {
  return `Survey the folder ${path}.`;
}

/** The folder that a task asks for: a child's, or `.` for the tree itself. Undefined for anything else. */
export function folderOf(task: string): string | undefined {
  const folder = /^Survey the folder (.+)\.\s*$/m.exec(task)?.[1];
  return folder ?? (/survey this source tree/i.test(task) ? "." : undefined);
}

/** A valid name for each folder, the folder's own where that is one; they differ, in letter case too. */
export function agentNames(folders: readonly string[]): Map<string, string> {
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const folder of folders) {
    const plain = folder.replace(/[^A-Za-z0-9._-]/g, "_").replace(/^[^A-Za-z0-9]+/, "");
    const fits = plain === folder && plain.length <= LIMITS.nameLengthMax && !taken.has(plain.toLowerCase());
    const name = fits
      ? plain
      : `${plain.slice(0, LIMITS.nameLengthMax - 9) || "folder"}-${hash("sha256", folder).slice(0, 8)}`;
    taken.add(name.toLowerCase());
    names.set(folder, name);
  }
  return names;
}
