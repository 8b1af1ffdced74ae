import { useCallback, useMemo } from 'react';
import { navigate, useSearch } from 'wouter/use-browser-location';

/** The URL's query, and a way to change some of it. Null or '' removes a parameter; `push` adds to the history. */
export function useUrlQuery(): [URLSearchParams, (change: Record<string, string | null>, push?: boolean) => void] {
  const search = useSearch();
  const params = useMemo(() => new URLSearchParams(search), [search]);
  const change = useCallback((changes: Record<string, string | null>, push = false) => {
    const next = new URLSearchParams(window.location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === '') next.delete(name);
      else next.set(name, value);
    }
    const text = next.toString();
    if (text === window.location.search.replace(/^\?/, '')) return;
    navigate(`${window.location.pathname}${text === '' ? '' : `?${text}`}`, { replace: !push });
  }, []);
  return [params, change];
}
