import { useEffect, useState } from 'react';

/** What only flies by while somebody scrolls asks for nothing. */
const SETTLE_MS = 200;

/** False for the first moment in which a component is in sight. */
export function useSettled(): boolean {
  const [settled, setSettled] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), SETTLE_MS);
    return () => clearTimeout(timer);
  }, []);
  return settled;
}
