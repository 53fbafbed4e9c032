// A person at headless Chromium who allows a client, for oauth.py: opens the address, signs in at the company's provider on another
// site, and presses Allow; prints where the browser was sent back to. The pages are judged by axe-core, on a phone's width.
//
//     node oauth_browser.mjs NODE_FOLDER ADDRESS REDIRECT PERSON
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const [folder, address, redirect, person] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const complaints = [];

async function judge(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  complaints.push(...serious.map(({ id, help }) => `${what}: ${id}: ${help}`));
  const width = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (width > 0) complaints.push(`${what}: wider than the window by ${width} pixels`);
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});
try {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 } });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  // What the policy of a page has refused is a fault.
  page.on('console', (message) => {
    if (message.type() === 'error' && message.text().includes('Content Security Policy')) complaints.push(message.text());
  });
  // The client, as the browser finds it.
  const { port, origin, pathname } = new URL(redirect);
  const back = new Promise((resolve, reject) => {
    const client = createServer((request, response) => {
      response.end('back');
      if (request.url.startsWith(pathname)) resolve(`${origin}${request.url}`);
    });
    client.on('error', reject);
    client.listen(Number(port), '127.0.0.1');
  });
  await page.goto(address);
  await judge(page, 'the page that asks for a sign-in or a link');
  await page.getByRole('button', { name: /^Sign in at/ }).click();
  await page.locator('input[name=login]').fill(person);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.locator('button[type=submit]').click();
  await page.getByRole('button', { name: 'Allow' }).waitFor();
  await judge(page, 'the page that asks for a decision');
  await page.getByRole('button', { name: 'Allow' }).click();
  console.log(`back ${await back}`);
} finally {
  await browser.close();
}
if (complaints.length > 0) {
  console.error(complaints.join('\n'));
  process.exit(1);
}
process.exit(0);
