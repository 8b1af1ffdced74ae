/** The tree of old proxies below this engine: who asked for a parent, and whom each got. In memory only, as theirs. */

/** Children of one node before the next one gets some. */
const BRANCHES = 2;
/** Nodes that are remembered: names come from whoever asks. */
const MOST = 10_000;

interface Member {
  readonly url: string;
  readonly children: string[];
}

export class ProxyTree {
  /** Those below it, in the order they came; this engine is the first. */
  #members: Member[] = [];

  /** Whom a child is to join; null: there is no more room. */
  parentFor(child: string, self: string): string | null {
    if (this.#members.length === 0) this.#members.push({ url: self, children: [] });
    const asked = this.#members.find(({ children }) => children.includes(child));
    if (asked) return asked.url;
    // Not below itself, and not below those that it has.
    const free = this.#members.find(({ url, children }) => url !== child && children.length < BRANCHES);
    if (!free || this.#members.length >= MOST) return null;
    free.children.push(child);
    if (!this.#members.some(({ url }) => url === child)) this.#members.push({ url: child, children: [] });
    return free.url;
  }

  knows(url: string): boolean {
    return this.#members.some((member) => member.url === url);
  }

  /** Takes a node out. False: it is not below that one. */
  remove(parent: string, child: string): boolean {
    const member = this.#members.find(({ url }) => url === parent);
    const at = member?.children.indexOf(child) ?? -1;
    if (!member || at < 0) return false;
    member.children.splice(at, 1);
    this.#members = this.#members.filter(({ url }) => url !== child);
    return true;
  }

  /** The node's parent; null: it is not in the tree. */
  parentOf(child: string): string | null {
    return this.#members.find(({ children }) => children.includes(child))?.url ?? null;
  }

  pairs(): [string, string][] {
    return this.#members.flatMap(({ url, children }) => children.map((child): [string, string] => [url, child]));
  }
}
