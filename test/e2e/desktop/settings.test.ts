/** The settings in the window, where no script has a token: main adds the window's own to what the page asks. */

import { describe, expect, test } from 'vitest';
import { lacksDesktop, useDesktop } from '../../support/desktop.ts';
import { SOON } from '../console.ts';

describe.skipIf(lacksDesktop())('the settings in the window', () => {
  const desktop = useDesktop();

  test('tell who one is, add a token that can be copied, and revoke it', async () => {
    const { app, page } = await desktop.start();
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    await page.getByRole('link', { name: 'Settings' }).click();
    const tokens = page.getByRole('table', { name: 'Tokens' });
    await tokens.getByText('in the token file').waitFor(SOON);

    await page.getByLabel('Name of a new token').fill('phone');
    await page.getByRole('button', { name: 'Add token' }).click();
    const field = page.getByLabel('The new token', { exact: true });
    await field.waitFor(SOON);
    const token = await field.inputValue();
    const origin = new URL(page.url()).origin;
    const status = async (): Promise<number> =>
      (await fetch(`${origin}/api/v1/status`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await status()).toBe(200);
    await page.getByRole('button', { name: 'Copy the new token' }).click();
    await page.getByRole('tooltip').getByText('Copied').waitFor(SOON);
    expect(await app.evaluate(({ clipboard }) => clipboard.readText())).toBe(token);

    await page.getByRole('button', { name: 'I have it' }).click();
    await page.getByRole('button', { name: 'Revoke phone' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByRole('button', { name: 'Revoke phone' }).waitFor({ state: 'detached' });
    expect(await status()).toBe(401);
    const log = page.getByRole('table', { name: 'Audit log' }).getByRole('row');
    await log.filter({ hasText: 'DELETE' }).filter({ hasText: 'token window' }).waitFor(SOON);
  });
});
