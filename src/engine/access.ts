/** Who may come in, and the log of what they change: opened together, since each of them tells the other. */

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { TokenInfo } from '../shared/api/tokens.ts';
import { OWNER } from '../shared/model/role.ts';
import type { Config } from './config.ts';
import { AuditLog } from './http/audit.ts';
import { Auth, loadToken, TokenCheck } from './http/auth.ts';
import { urlHost } from './http/listen.ts';
import { Tokens } from './tokens/tokens.ts';
import { tokensPath } from './tokens/tokens-file.ts';
import type { Store } from './store/store.ts';

export interface Access {
  /** The owner's token itself. */
  readonly token: string;
  readonly tokens: Tokens;
  readonly auth: Auth;
  readonly audit: AuditLog;
  /** The owner's token as it is listed. */
  readonly owner: () => TokenInfo;
  close(): Promise<void>;
}

export interface AccessOptions {
  readonly config: Config;
  readonly store: Store;
  /** A token that is gone with this start of the engine; null: there is none. */
  readonly passing: string | null;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** Shown as long as it is so. */
  readonly warnings: string[];
  readonly warn: (message: string) => void;
}

/** Reads the tokens, and makes the owner's if there is none. Throws when the token file cannot be used. */
export function openAccess({ config, store, passing, now, warnings, warn }: AccessOptions): Access {
  const token = loadToken(config.tokenFile);
  const created = statSync(config.tokenFile).mtimeMs;
  const path = tokensPath(config.tokenFile);
  const audit = new AuditLog({ put: (entry) => store.putAudit(entry), now });
  let shown: string | null = null;
  const tokens = new Tokens({
    path,
    now,
    onEdited: (what, { name, role }) =>
      audit.note({
        who: { by: 'file', name: basename(path) },
        what: `token ${what}`,
        summary: `name=${name} role=${role}`,
        outcome: 'done',
        status: 0,
      }),
    onTrouble(problem) {
      const at = shown === null ? -1 : warnings.indexOf(shown);
      if (at >= 0) warnings.splice(at, 1);
      shown = problem === null ? null : `added tokens are not accepted: ${problem}`;
      if (shown !== null) warn(shown);
    },
  });
  // The address it was told to listen on is a name of ours, too.
  const listensOn = config.listen.kind === 'tcp' ? [urlHost(config.listen.host)] : [];
  const auth = new Auth({
    token: new TokenCheck(token),
    passing: passing === null ? null : new TokenCheck(passing),
    tokens,
    allowHosts: [...config.allowHosts, ...listensOn],
    compat: config.compat,
    compatNetworks: config.compatNetworks,
    now,
  });
  return {
    token,
    tokens,
    auth,
    audit,
    owner: () => ({ name: OWNER, role: 'control', created, last_used: auth.ownerUsed }),
    async close() {
      await tokens.close();
      audit.close();
    },
  };
}
