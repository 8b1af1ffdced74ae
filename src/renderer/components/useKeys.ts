import { useEffect, useRef } from 'react';

/** True where a key types text, opens a list or belongs to a dialog. */
function isTaken(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.closest('input, textarea, select, [role="dialog"], [role="menu"]') !== null;
}

/** Single keys of a view, by `event.key`. Buttons and links keep their own space and Enter. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const action = latest.current[event.key];
      if (!action || isTaken(event)) return;
      const target = event.target;
      const presses = event.key === ' ' || event.key === 'Enter';
      if (presses && target instanceof HTMLElement && target.closest('button, a, summary, [role="tab"]')) return;
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
