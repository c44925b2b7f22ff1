import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import type { Exchange } from '../../exchange';
import type { Collector } from '../../scripts/n8n/collector';
import { OWNER } from '../../scripts/n8n/restClient';
import { CHROMIUM_ARGUMENTS, chromiumPath } from '../support/chromium';
import { describeWhere } from '../support/where';
import { Bench, eventually } from './support';

/** Looked at by people, not kept in git. */
const PICTURES = join(__dirname, '../../reports/editor');
const WIDE = { width: 1440, height: 900 };
const NARROW = { width: 1024, height: 768 };
/** For one step of a page on a busy machine; each waits for what it needs and no longer. */
const STEP_TIMEOUT_MS = 60_000;

let bench: Bench;
let exchange: Exchange;
let collector: Collector;
let browser: Browser;
let context: BrowserContext | null = null;
let page: Page;

const byId = (id: string): Locator => page.locator(`[data-test-id="${id}"]`);
const field = (name: string): Locator => byId(`parameter-input-${name}`);

async function picture(name: string): Promise<void> {
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled' });
}

async function choose(name: string, option: string): Promise<void> {
  await field(name).locator('input').first().click();
  await page.getByRole('option', { name: option }).filter({ visible: true }).first().click();
}

/** Adds a setting to the first or the last collection of the node, and types its value. */
async function addSetting(
  which: 'first' | 'last',
  label: string,
  name: string,
  value: string,
): Promise<void> {
  await byId('collection-parameter-add')[which]().click();
  await byId('collection-parameter-option').filter({ hasText: label, visible: true }).first().click();
  await field(name).locator('input, textarea').first().fill(value);
}

/** Finds a node by what people search for and adds it; its panel is open then. */
async function addNode(search: string, name: string): Promise<void> {
  await byId('node-creator-search-bar').fill(search);
  await byId('node-creator-item-name').getByText(name, { exact: true }).first().click();
  const add = page.getByRole('button', { name: 'Add to workflow' });
  // n8n shows what a community node is before it adds it.
  await add.or(byId('ndv')).first().waitFor();
  if (await add.isVisible()) await add.click();
  await byId('ndv').waitFor();
}

/** Of the workflow that is open; empty before n8n has saved it for the first time. */
function workflowId(): string {
  const id = /workflow\/([^/?]+)/.exec(page.url())?.[1] ?? '';
  return id === 'new' ? '' : id;
}

async function closePanel(): Promise<void> {
  await byId('ndv-close-button').click();
  await byId('ndv').waitFor({ state: 'hidden' });
}

async function signIn(): Promise<void> {
  await page.goto(`${bench.rest.url}/signin`);
  await page.locator('input[name="emailOrLdapLoginId"]').fill(OWNER.email);
  await page.locator('input[type="password"]').fill(OWNER.password);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => !url.pathname.includes('signin'));
}

const PATH = chromiumPath();

describeWhere(PATH !== null, 'no Chromium here; Debian has it as the package chromium')(
  'in the editor, by mouse and keyboard',
  () => {
    beforeAll(async () => {
      mkdirSync(PICTURES, { recursive: true });
      bench = await Bench.open();
      exchange = await bench.exchange({ symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'], seed: 3 });
      collector = await bench.collector();
      browser = await chromium.launch({ executablePath: PATH ?? '', args: CHROMIUM_ARGUMENTS });
    });
    afterEach(async () => {
      await context?.close();
      context = null;
    });
    afterAll(async () => {
      await browser?.close();
      await bench?.close();
    });

    test.each(['light', 'dark'] as const)(
      'an empty canvas becomes an alert at a webhook (%s)',
      async (colorScheme) => {
        context = await browser.newContext({ viewport: WIDE, colorScheme });
        page = await context.newPage();
        page.setDefaultTimeout(STEP_TIMEOUT_MS);
        const shot = (step: string) => picture(`${colorScheme}-${step}`);
        try {
          await signIn();
          await buildAlert(shot);
          const id = workflowId();
          bench.keep(id);
          // The others may have alerts of their own.
          const alerts = () => collector.at(colorScheme).map(({ body }) => body as Record<string, unknown>);
          const ofSol = () => alerts().find(({ symbol }) => symbol === 'SOLUSDT');
          await collector.until(() => ofSol() !== undefined, STEP_TIMEOUT_MS, 'the alert');
          expect(ofSol()).toMatchObject({
            ...{ signal: 'SELLING', kind: 'alert' },
            message: expect.stringContaining('SOLUSDT: selling pressure'),
          });
          await bench.remove(id);
        } catch (error) {
          await shot('failed').catch(() => undefined);
          throw error;
        }

        /** From the empty canvas to the published workflow. */
        async function buildAlert(shot: (step: string) => Promise<void>): Promise<void> {
          await page.goto(`${bench.rest.url}/workflow/new`);
          await byId('canvas-plus-button').first().click();
          await addNode('selling pressure', 'Binance Order Book Trigger');
          await shot('1-trigger');

          await addSetting('last', 'REST Base URL', 'restBaseUrl', exchange.restBaseUrl);
          await addSetting('last', 'WebSocket Base URL', 'webSocketBaseUrl', exchange.webSocketBaseUrl);
          await byId('rlc-mode-selector').locator('input').click();
          await byId('mode-list').click();
          await byId('rlc-input').click();
          await byId('rlc-item').filter({ hasText: 'ETHUSDT' }).first().click();
          await choose('moreSymbols', 'SOLUSDT');
          await page.keyboard.press('Escape');
          await choose('emit', 'When the Signal Changes');
          await addSetting('first', 'Pending Period', 'pendingPeriod', '1');
          await shot('2-signal');
          await page.setViewportSize(NARROW);
          await shot('2-signal-narrow');
          await page.setViewportSize(WIDE);
          await closePanel();

          await byId('canvas-handle-plus').first().click();
          await addNode('http request', 'HTTP Request');
          await choose('method', 'POST');
          await field('sendBody').locator('.el-switch').click();
          await choose('specifyBody', 'Using JSON');
          const json = byId('jsonBody-parameter-input-options-container');
          await json.hover();
          await json.locator('[data-test-id="radio-button-expression"]').click();
          await field('jsonBody').locator('.cm-content').click();
          await page.keyboard.press('Control+A');
          // Typed key by key, the editor would close each brace.
          await page.keyboard.insertText('{{ JSON.stringify($json) }}');
          await field('url').locator('.cm-content, input, textarea').first().click();
          await page.keyboard.insertText(`${collector.url}/${colorScheme}`);
          await shot('3-webhook');
          // The editor takes over what was typed a moment later, and a panel that closes before loses it.
          await byId('ndv').getByText('Parameters', { exact: true }).first().click();
          await delay(1_500);
          await closePanel();
          await eventually('what was typed is saved', STEP_TIMEOUT_MS, async () => {
            const id = workflowId();
            const saved = id === '' ? '' : JSON.stringify(await bench.rest.getWorkflow(id));
            return saved.includes('JSON.stringify($json)') && saved.includes(`/${colorScheme}"`);
          });
          await shot('4-canvas');
          await page.setViewportSize(NARROW);
          await shot('4-canvas-narrow');
          await page.setViewportSize(WIDE);

          // From before the feed begins, so that its first alert is this one.
          exchange.pressure('SOLUSDT', 'ask', 5, 300_000);
          await byId('workflow-open-publish-modal-button').click();
          await byId('workflow-publish-button').click();
          await page.getByText('Workflow published').first().waitFor();
          await shot('5-published');
        }
      },
      180_000,
    );
  },
);
