/** The keywords of `ssh_config(5)` that say how a host is reached, with OpenSSH's defaults, and how each is read. */

/** As `ssh -G` prints them: keyword in lower case → its lines. */
export type RawConfig = ReadonlyMap<string, readonly string[]>;

/**
 * - `flag`: yes or no; `choice`: one of some words; `text`: one argument; `path`: one that may be `none`.
 * - `many`: each occurrence counts, the same one once; `line`: several arguments of one occurrence.
 * - `time`: seconds; `count`: a whole number; `list`: names separated by commas, to which `+`, `-` and `^` may be set before.
 * - `command`: the rest of the line; `jump`: hosts of `ProxyJump`; `agent`: `yes`, `ask`, `confirm` or a time.
 */
export type KeywordKind =
  'flag' | 'choice' | 'text' | 'many' | 'line' | 'time' | 'count' | 'port' | 'list' | 'command' | 'jump' | 'agent';

interface Keyword {
  readonly kind: KeywordKind;
  /** Undefined: nothing is printed. */
  readonly initial?: string | readonly string[];
  /** As written → as printed. */
  readonly choices?: Readonly<Record<string, string>>;
}

const flag = (initial: 'yes' | 'no'): Keyword => ({ kind: 'flag', initial });

/** Names of a folder's default keys, in the order in which OpenSSH 9.2 tries them. */
const IDENTITIES = ['id_rsa', 'id_ecdsa', 'id_ecdsa_sk', 'id_ed25519', 'id_ed25519_sk', 'id_xmss', 'id_dsa'];

const yesNo = { yes: 'true', true: 'true', no: 'false', false: 'false' };

export const keywords: Readonly<Record<string, Keyword>> = {
  user: { kind: 'text' },
  hostname: { kind: 'text' },
  port: { kind: 'port', initial: '22' },
  addressfamily: { kind: 'choice', initial: 'any', choices: { any: 'any', inet: 'inet', inet6: 'inet6' } },
  batchmode: flag('no'),
  compression: flag('no'),
  gssapiauthentication: flag('no'),
  hashknownhosts: flag('no'),
  hostbasedauthentication: flag('no'),
  identitiesonly: flag('no'),
  kbdinteractiveauthentication: flag('yes'),
  passwordauthentication: flag('yes'),
  tcpkeepalive: flag('yes'),
  pubkeyauthentication: {
    kind: 'choice',
    initial: 'true',
    choices: { ...yesNo, unbound: 'unbound', 'host-bound': 'host-bound' },
  },
  stricthostkeychecking: {
    kind: 'choice',
    initial: 'ask',
    choices: { ...yesNo, off: 'false', ask: 'ask', 'accept-new': 'accept-new' },
  },
  numberofpasswordprompts: { kind: 'count', initial: '3' },
  serveralivecountmax: { kind: 'count', initial: '3' },
  serveraliveinterval: { kind: 'time', initial: '0' },
  connecttimeout: { kind: 'time', initial: 'none' },
  addkeystoagent: { kind: 'agent', initial: 'false' },
  identityfile: { kind: 'many', initial: IDENTITIES.map((name) => `~/.ssh/${name}`) },
  certificatefile: { kind: 'many' },
  identityagent: { kind: 'text' },
  preferredauthentications: { kind: 'text' },
  hostkeyalias: { kind: 'text' },
  bindaddress: { kind: 'text' },
  userknownhostsfile: { kind: 'line', initial: '~/.ssh/known_hosts ~/.ssh/known_hosts2' },
  globalknownhostsfile: { kind: 'line', initial: '/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2' },
  hostkeyalgorithms: { kind: 'list' },
  kexalgorithms: { kind: 'list' },
  ciphers: { kind: 'list' },
  macs: { kind: 'list' },
  pubkeyacceptedalgorithms: { kind: 'list' },
  knownhostscommand: { kind: 'command' },
  proxycommand: { kind: 'command' },
  proxyjump: { kind: 'jump' },
};

/** Older names of the same. */
export const aliases: Readonly<Record<string, string>> = {
  challengeresponseauthentication: 'kbdinteractiveauthentication',
  keepalive: 'tcpkeepalive',
  pubkeyacceptedkeytypes: 'pubkeyacceptedalgorithms',
  skeyauthentication: 'kbdinteractiveauthentication',
  tisauthentication: 'kbdinteractiveauthentication',
  dsaauthentication: 'pubkeyauthentication',
  identityfile2: 'identityfile',
};

/** Keywords that OpenSSH knows, and that do not change how a host is reached: their values are not looked at. */
export const passedOver: ReadonlySet<string> = new Set([
  ...['afstokenpassing', 'canonicaldomains', 'canonicalizefallbacklocal', 'canonicalizemaxdots', 'bindinterface'],
  ...['canonicalizepermittedcnames', 'casignaturealgorithms', 'channeltimeout', 'checkhostip', 'cipher'],
  ...['clearallforwardings', 'connectionattempts', 'controlmaster', 'controlpath', 'controlpersist'],
  ...['dynamicforward', 'enableescapecommandline', 'enablesshkeysign', 'escapechar', 'exitonforwardfailure'],
  ...['fallbacktorsh', 'fingerprinthash', 'forkafterauthentication', 'forwardagent', 'forwardx11'],
  ...['forwardx11timeout', 'forwardx11trusted', 'gatewayports', 'gssapiclientidentity', 'gssapidelegatecredentials'],
  ...['gssapikexalgorithms', 'gssapikeyexchange', 'gssapirenewalforcesrekey', 'gssapiserveridentity'],
  ...['gssapitrustdns', 'hostbasedacceptedalgorithms', 'hostbasedkeytypes', 'ipqos', 'kbdinteractivedevices'],
  ...['kerberosauthentication', 'kerberostgtpassing', 'localcommand', 'localforward', 'loglevel', 'logverbose'],
  ...['nohostauthenticationforlocalhost', 'obscurekeystroketiming', 'permitlocalcommand', 'permitremoteopen'],
  ...['pkcs11provider', 'protocol', 'proxyusefdpass', 'rekeylimit', 'remotecommand', 'remoteforward', 'requesttty'],
  ...['requiredrsasize', 'revokedhostkeys', 'rhostsauthentication', 'rhostsrsaauthentication', 'rsaauthentication'],
  ...['securitykeyprovider', 'sendenv', 'sessiontype', 'setenv', 'smartcarddevice', 'stdinnull'],
  ...['streamlocalbindmask', 'streamlocalbindunlink', 'syslogfacility', 'tunnel', 'tunneldevice', 'updatehostkeys'],
  ...['globalknownhostsfile2', 'useprivilegedport', 'userknownhostsfile2', 'useroaming', 'usersh', 'verifyhostkeydns'],
  ...['visualhostkey', 'warnweakcrypto', 'xauthlocation', 'useblacklistedkeys'],
]);
