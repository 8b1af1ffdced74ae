import { useEffect, useLayoutEffect, useRef } from 'react';

/** Inputs in which letters type nothing: after a click on one of them the view's keys still work. */
const WORDLESS = ['radio', 'checkbox', 'button', 'submit', 'reset', 'range', 'color', 'file', 'image'];

/** True where keys type text or choose from a list. */
function typesText(element: HTMLElement): boolean {
  if (element.isContentEditable) return true;
  const field = element.closest('input, textarea, select');
  return field !== null && !(field instanceof HTMLInputElement && WORDLESS.includes(field.type));
}

/** True where the element has a use for the key itself: a button is pressed, arrows choose among radio buttons. */
function usesKey(element: HTMLElement, key: string): boolean {
  if (key.startsWith('Arrow')) return element.matches('input');
  if (key === ' ' && element.matches('input:not([type="radio"]:checked)')) return true;
  return (key === ' ' || key === 'Enter') && element.closest('button, a, summary, [role="tab"]') !== null;
}

/** True where a key types text, opens a list or belongs to a dialog. */
function isTaken(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  return typesText(target) || target.closest('[role="dialog"], [role="menu"]') !== null || usesKey(target, event.key);
}

/** Single keys of a view, by `event.key`. Buttons and links keep their own space and Enter, radio buttons their arrows. */
export function useKeys(keys: Readonly<Record<string, () => void>>): void {
  const latest = useRef(keys);
  // Together with what is shown: the next key may come before other effects have run.
  useLayoutEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const action = latest.current[event.key];
      if (!action || isTaken(event)) return;
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

/** The keys that move a table's cursor by a row. */
export const stepKeys = (move: (step: number) => void): Readonly<Record<string, () => void>> => ({
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
});
