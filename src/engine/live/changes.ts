/**
 * Counts whatever may change what is told of live values, in all scopes: as long as it stands still, an answer that was
 * made is still right.
 */

/** A typed array: a plain variable would be an object of its own for each number above 2^31. */
const count = new Float64Array(1);

export function noteChange(): void {
  count[0]!++;
}

export const changesSoFar = (): number => count[0]!;
