import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What else could differ between two themes is in the page but once. */
const COLOURS = ['color-contrast', 'link-in-text-block'];

interface Finding {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
}

/**
 * What axe finds in the page as it stands, in its theme and in the other one, short enough to read in a failure. The
 * page has its own theme afterwards, and no movements: a colour on its way to another would be judged by chance.
 */
export async function findings(page: Page): Promise<string[]> {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const own = await page.evaluate<boolean>("matchMedia('(prefers-color-scheme: dark)').matches");
  const found = await analyse(page, {});
  await show(page, own ? 'light' : 'dark');
  found.push(...(await analyse(page, { runOnly: COLOURS })));
  await show(page, own ? 'dark' : 'light');
  return found;
}

async function analyse(page: Page, options: RunOptions): Promise<string[]> {
  // Once for a document: to read it takes longer than what it does here.
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(`${SOURCE};0`);
  const run = `axe.run(${JSON.stringify({ ...options, resultTypes: ['violations'], elementRef: true })})`;
  const { violations, theme } = await page.evaluate<{ violations: Finding[]; theme: string }>(`${run}.then((found) => {
    // A tooltip belongs to what the pointer happens to be on; it is in no landmark, wherever that is, and may be gone again.
    const tips = '[role=tooltip], .mantine-Tooltip-tooltip';
    const isTip = (element) => {
      const tip = element.closest(tips) ?? element.querySelector(tips);
      return !element.isConnected || (Boolean(tip) && tip.textContent.includes(element.textContent));
    };
    const violations = found.violations.map(({ id, help, nodes }) => ({
      ...{ id, help },
      nodes: nodes
        .filter(({ element }) => id !== 'region' || !isTip(element))
        .map(({ target, failureSummary }) => ({ target, failureSummary })),
    }));
    return { violations, theme: document.documentElement.dataset.mantineColorScheme };
  })`);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${theme}: ${id}: ${help}: ${target.join(' ')}: ${failureSummary ?? ''}`),
  );
}

async function show(page: Page, colorScheme: 'dark' | 'light'): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor();
  // Some colours take their time all the same, and may begin when others are done.
  await page.evaluate(`(async () => {
    const running = () => document.getAnimations().filter((each) => each instanceof CSSTransition);
    for (let all = running(); all.length > 0; all = running()) {
      for (const each of all) each.finish();
      await new Promise((done) => requestAnimationFrame(done));
    }
  })()`);
}
