/**
 * Fair order in two stages: tenants take turns by what they were given, in a tenant its trees, and in a tree the deepest agent goes first.
 * With requests of one size, this is deficit round robin at both stages (Shreedhar, Varghese: SIGCOMM 1995).
 *
 * L1  Of two tenants that wait, neither is served twice while the other is served not at all; nor of two trees of one tenant: in
 *     requests of one size. With others, what they were given differs by no more than the largest request of each.
 */
import type { AgentId } from "../../base/ids.ts";
import { Departed } from "./departed.ts";
import { FairQueue, type Place } from "./fair-queue.ts";

export interface Request extends Place {
  readonly tenant: string;
}

interface Tenant<T extends Request> {
  given: number;
  readonly trees: FairQueue<T>;
}

export class FairLine<T extends Request> {
  readonly #tenants = new Map<string, Tenant<T>>();
  readonly #departed = new Departed<string>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  has({ tenant, agent }: { readonly tenant: string; readonly agent: AgentId }): boolean {
    return this.#tenants.get(tenant)?.trees.has(agent) === true;
  }

  add(request: T): void {
    const tenant = this.#tenants.get(request.tenant) ?? {
      given: this.#departed.come(request.tenant),
      trees: new FairQueue<T>(),
    };
    this.#tenants.set(request.tenant, tenant);
    tenant.trees.add(request);
    this.#length += 1;
  }

  /** Whose turn it is among those that may. */
  first(mayTenant: (tenant: string) => boolean = ALL, mayTree: (tree: string) => boolean = ALL): T | undefined {
    for (const [name, { trees }] of [...this.#tenants].sort(([, a], [, b]) => a.given - b.given)) {
      const first = mayTenant(name) ? trees.first(mayTree) : undefined;
      if (first) return first;
    }
    return undefined;
  }

  take(request: T): void {
    const tenant = this.#tenants.get(request.tenant);
    if (!tenant) return;
    tenant.trees.take(request);
    this.#length -= 1;
    this.#departed.serve(tenant.given);
    tenant.given += request.size;
    this.#tidy(request.tenant, tenant);
  }

  /** Takes one out that was not served. */
  drop(request: T): void {
    const tenant = this.#tenants.get(request.tenant);
    if (!tenant?.trees.drop(request)) return;
    this.#length -= 1;
    this.#tidy(request.tenant, tenant);
  }

  /** The trees that wait, with their tenants and how many requests each has. */
  get trees(): { readonly tenant: string; readonly tree: string; readonly waiting: number }[] {
    return [...this.#tenants].flatMap(([tenant, { trees }]) =>
      trees.lines.map(({ tree, waiting }) => ({ tenant, tree, waiting })),
    );
  }

  #tidy(name: string, { trees, given }: Tenant<T>): void {
    if (trees.length > 0) return;
    this.#tenants.delete(name);
    this.#departed.leave(name, given);
    if (this.#tenants.size === 0) this.#departed.forget();
  }
}

const ALL = () => true;
