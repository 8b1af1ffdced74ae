/** The formats of `vigie client`, apart from what writes them: that loads a YAML library. */
export const FORMATS = ['md', 'json', 'yaml', 'txt'] as const;
export type Format = (typeof FORMATS)[number];
