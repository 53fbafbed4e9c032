// The console in headless Chromium: each page with and without scripts, on a phone's width and a desk's, in light and dark, by
// keyboard, and judged by axe-core. Administrators sign in with a token, and at npm's `oidc-provider` on another site.
//
//     node tests/clients/console.mjs BINARY NODE_FOLDER [SCREENSHOT_FOLDER]
//
// NODE_FOLDER holds node_modules with playwright-core and axe-core. With a third folder the pictures of docs/ are written there.

import assert from "node:assert/strict";
import { spawn, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [binary, folder, pictures] = process.argv.slice(2).map((argument) => path.resolve(argument));
if (!folder) {
  console.error("usage: console.mjs BINARY NODE_FOLDER [SCREENSHOT_FOLDER]");
  process.exit(2);
}
const require = createRequire(path.join(folder, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// Longer than any start takes, even on a busy machine.
const WAIT = 60_000;
const CHROMIUM = "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const NARROW = { width: 360, height: 740 };
const WIDE = { width: 1280, height: 900 };
const LARGEST_PICTURE = 100 * 1024;
const HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>";

let passed = 0;
let failed = 0;

async function check(what, test) {
  try {
    await test();
    passed += 1;
    console.log(`ok      ${what}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${what}: ${error.message}`);
  }
}

const home = mkdtempSync(path.join(tmpdir(), "toolwright-console-"));
const environment = { PATH: process.env.PATH ?? "", HOME: home };
const running = [];

// Runs a program until the end; gives what the patterns find in its messages, in this order.
function announced(argumentsOfIt, patterns) {
  return said(spawn(binary, argumentsOfIt, { env: environment, stdio: ["ignore", "ignore", "pipe"] }), "stderr", patterns);
}

function said(program, stream, patterns) {
  running.push(program);
  return new Promise((resolve, reject) => {
    let seen = "";
    const timer = setTimeout(() => reject(new Error(`nothing was announced in time:\n${seen}`)), WAIT);
    program.on("exit", () => reject(new Error(`the program ended:\n${seen}`)));
    program[stream].on("data", (bytes) => {
      seen += bytes;
      const found = patterns.map((pattern) => pattern.exec(seen));
      if (found.every(Boolean)) {
        clearTimeout(timer);
        resolve(found.map((match) => match[1]));
      }
    });
  });
}

// A browser window of its own. Whatever a page complains about, a script's error or what the policy refused, is a fault.
async function withPage(browser, options, cookies, use) {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  context.setDefaultTimeout(WAIT);
  if (cookies.length > 0) await context.addCookies(cookies);
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => { complaints.push(`a dialog: ${dialog.message()}`); return dialog.dismiss(); });
  page.on("console", (message) => {
    // A page that states what is wrong has a status that says so.
    const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
    // The provider's pages ask for fonts of another host; ours can ask for nothing but what is ours.
    const isElsewhere = message.text().includes("net::ERR_NAME_NOT_RESOLVED") && !message.location().url.startsWith("http://127.0.0.1");
    if (message.type() === "error" && !isStatus && !isElsewhere) complaints.push(message.text());
  });
  try {
    const result = await use(page, context);
    assert.deepEqual(complaints, []);
    return result;
  } finally {
    await context.close();
  }
}

async function fits(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(content <= window, `the page is ${content} wide in a window of ${window}`);
}

async function judged(page) {
  await page.evaluate(axe);
  // It would load the style sheet once more by a script, which the pages' policy refuses.
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"], preload: false }));
  for (const { id, impact, nodes } of violations) {
    console.log(`        axe: ${impact} ${id} at ${nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`);
  }
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(serious.map(({ id }) => id), []);
}

async function looksLikeAPage(page) {
  assert.equal(await page.locator("h1").count(), 1);
  assert.equal(await page.locator("main#main").count(), 1);
  assert.equal(await page.locator("html[lang=en]").count(), 1);
  // The stylesheet is in force.
  assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).maxWidth), "none");
  assert.equal(await page.evaluate(() => document.images.length), 0);
}

// Every page in each form.
async function eachPage(browser, label, base, cookies, paths) {
  for (const at of paths) {
    for (const scripts of [true, false]) {
      for (const viewport of [NARROW, WIDE]) {
        await check(`${label} ${at}, ${viewport.width} px, ${scripts ? "with" : "without"} scripts`, () =>
          withPage(browser, { viewport, javaScriptEnabled: scripts }, cookies, async (page) => {
            await page.goto(base + at);
            await looksLikeAPage(page);
            await fits(page);
            if (scripts) {
              assert.equal(await page.locator("button.copy").count(), await page.locator("main pre:not(.fault)").count());
              await judged(page);
            } else {
              assert.equal(await page.locator("button.copy").count(), 0);
            }
          }));
      }
    }
    await check(`${label} ${at}, dark`, () =>
      withPage(browser, { colorScheme: "dark", viewport: NARROW }, cookies, async (page) => {
        await page.goto(base + at);
        const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.equal(colour, "rgb(20, 24, 28)");
        await judged(page);
      }));
  }
}

async function focused(page) {
  return page.evaluate(() => {
    const { activeElement: one } = document;
    const style = getComputedStyle(one);
    return { what: one.id || one.getAttribute("href") || one.textContent.trim(), seen: style.outlineStyle !== "none" };
  });
}

async function tabTo(page, wanted) {
  for (let count = 0; count < 60; count += 1) {
    await page.keyboard.press("Tab");
    const { what, seen } = await focused(page);
    assert.ok(seen, `no outline shows the focus on ${what}`);
    if (wanted(what)) return;
  }
  assert.fail("the focus never came there");
}

async function byKeyboard(page, base) {
  await page.goto(`${base}/tools`);
  await page.keyboard.press("Tab");
  assert.equal((await focused(page)).what, "#main");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await tabTo(page, (what) => what === "q");
  await page.keyboard.type("close a ticket");
  await Promise.all([page.waitForURL(/[?&]q=close/), page.keyboard.press("Enter")]);
  await tabTo(page, (what) => what === "/tools/jitbit_close_ticket");
  await Promise.all([page.waitForURL(/jitbit_close_ticket$/), page.keyboard.press("Enter")]);
  const field = await page.locator("label", { hasText: "ticketId" }).first().getAttribute("for");
  await tabTo(page, (what) => what === field);
  await page.keyboard.type("7");
  await Promise.all([page.waitForURL(/#answer$/), page.keyboard.press("Enter")]);
  assert.match(await page.locator("#answer-title").textContent(), /The answer/);
}

async function theCatalog(browser) {
  const [url] = await announced(["console"], [/the console is at (\S+)/]);
  const base = new URL(url).origin;
  let cookies = [];
  await check("the printed address opens the console, once", async () => {
    await withPage(browser, {}, [], async (page, context) => {
      await page.goto(url);
      await page.waitForURL(`${base}/tools`);
      cookies = await context.cookies();
      assert.deepEqual(cookies.map(({ httpOnly, sameSite }) => [httpOnly, sameSite]), [[true, "Strict"]]);
    });
    await withPage(browser, {}, [], async (page) => {
      assert.equal((await page.goto(url)).status(), 401);
      assert.equal((await page.goto(`${base}/tools`)).status(), 401);
    });
  });
  const workflow = JSON.parse(execFileSync(binary, ["catalog", "list", "--format", "json", "--vendor", "jitbit"], { env: environment, maxBuffer: 1 << 26 }))
    .find((tool) => tool.operations.length > 2 && tool.method === "").name;
  const paths = ["/tools", "/tools?vendor=jitbit&served=on&q=printer", "/tools?tags=tickts", "/tools/jitbit_create_ticket",
    `/tools/${workflow}`, "/clients?vendor=jitbit&served=on", "/nothing"];
  await eachPage(browser, "catalog", base, cookies, paths);
  for (const scripts of [true, false]) {
    await check(`by keyboard, ${scripts ? "with" : "without"} scripts`, () =>
      withPage(browser, { javaScriptEnabled: scripts }, cookies, (page) => byKeyboard(page, base)));
  }
  await check("a page of another site can neither frame nor send", () =>
    withPage(browser, {}, cookies, async (page) => {
      await page.goto("data:text/html,<title>other</title>");
      const answer = await page.evaluate(async (address) => {
        try {
          const response = await fetch(address, { method: "POST", credentials: "include", mode: "no-cors", body: new URLSearchParams({ csrf: "x" }) });
          return response.type;
        } catch (error) { return `refused: ${error.name}`; }
      }, `${base}/tools/jitbit_close_ticket`);
      // What came back can't be read; that nothing was done, the tests of the server show.
      assert.ok(answer === "opaque" || answer.startsWith("refused"), answer);
      await page.setContent(`<iframe src="${base}/tools"></iframe>`);
      await page.waitForTimeout(500);
      const inner = await page.frames()[1]?.evaluate(() => document.querySelector("h1")?.textContent ?? "").catch(() => "");
      assert.notEqual(inner, "Tools");
    }).catch((error) => {
      // The browser reports what it refused: that is the point.
      if (!/frame-ancestors|X-Frame-Options|CORS|blocked|Refused|ERR_/.test(error.message)) throw error;
    }));
  if (pictures) {
    await withPage(browser, { viewport: { width: 1000, height: 720 } }, cookies, async (page) => {
      await page.goto(`${base}/tools?q=somebody+lost+a+laptop&served=`);
      await page.screenshot({ path: path.join(pictures, "console-tools.png") });
    });
    await withPage(browser, { viewport: { width: 390, height: 760 }, colorScheme: "dark" }, cookies, async (page) => {
      await page.goto(`${base}/tools/offboard_person`);
      await page.evaluate(() => document.querySelector("svg.steps").scrollIntoView({ block: "start" }));
      await page.screenshot({ path: path.join(pictures, "console-workflow.png") });
    });
  }
}

async function ask(url, name, parameters) {
  const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: parameters } };
  const headers = { "Content-Type": "application/json", Accept: "application/json, text/event-stream" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(message) });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text;
}

// Has a call wait for a person; gives the path of its page.
async function waits(url, name, parameters) {
  const text = await ask(url, name, parameters);
  const found = /\/approvals\/\w+/.exec(text);
  assert.ok(found, text);
  return found[0];
}

// What a person can do about approvals: read each whole, approve, decline, take back; with and without scripts, by keyboard.
async function approvals(browser, base, cookies, url, plain) {
  const reply = { ticketId: 7, body: HOSTILE };
  const removed = await waits(plain, "jitbit_delete_ticket", { ticketId: 7 });
  const replied = await waits(url, "jitbit_reply_to_customer", reply);
  const many = await waits(url, "jitbit_close_tickets", { tickets: [7, 8] });
  const more = await waits(url, "jitbit_create_company", { name: "Acme" });
  await eachPage(browser, "server", base, cookies, ["/approvals", removed, replied, many, more]);
  if (pictures) {
    await withPage(browser, { viewport: { width: 1000, height: 900 } }, cookies, async (page) => {
      await page.goto(base + removed);
      await page.screenshot({ path: path.join(pictures, "console-approval.png") });
    });
  }
  await check("what can't be taken back is approved by its name, without scripts", () =>
    withPage(browser, { javaScriptEnabled: false }, cookies, async (page) => {
      await page.goto(base + removed);
      await page.fill("#name", "8");
      await page.click("text=Approve the change");
      assert.match(await page.getByRole("alert").textContent(), /name of what is changed was not given/);
      await page.fill("#name", "7");
      await page.click("text=Approve the change");
      await page.locator("dd", { hasText: "administrator ops in the console" }).first().waitFor();
      assert.equal(await page.getByRole("button", { name: "Approve the change" }).count(), 0);
    }));
  await check("a change is declined by keyboard, and what outsiders wrote in it stays text", () =>
    withPage(browser, {}, cookies, async (page) => {
      await page.goto(base + replied);
      assert.ok((await page.textContent("main")).includes("onerror=alert(1)"));
      await tabTo(page, (what) => what === "no-reason");
      await page.keyboard.type("not before Monday");
      await page.keyboard.press("Enter");
      await page.locator("dd", { hasText: "declined" }).first().waitFor();
      await eachDecided(page, base, replied);
    }));
  await check("the same calls again return what was decided", async () => {
    assert.ok(!(await ask(plain, "jitbit_delete_ticket", { ticketId: 7 })).includes("not sent"));
    assert.match(await ask(url, "jitbit_reply_to_customer", reply), /not before Monday/);
  });
  await check("a tool that is held back is granted and taken back, on a phone", () =>
    withPage(browser, { viewport: NARROW, javaScriptEnabled: false }, cookies, async (page) => {
      await page.goto(base + more);
      await page.fill("#minutes", "90");
      await page.check("input[name=beyond]");
      await page.click("text=Grant the tool");
      assert.match(await page.getByRole("alert").textContent(), /1 to 60 minutes/);
      await page.fill("#minutes", "5");
      await page.click("text=Grant the tool");
      await page.getByRole("button", { name: "Take it back" }).click();
      await page.locator("dd", { hasText: "declined" }).first().waitFor();
    }));
  await eachPage(browser, "server, decided,", base, cookies, ["/approvals", removed, "/record?tool=delete"]);
}

async function eachDecided(page, base, decided) {
  await page.goto(base + decided);
  assert.equal(await page.getByRole("button", { name: /Approve|Decline/ }).count(), 0);
}

// Below the ports that the system gives to connections and to listeners without one, so that it stays free until it is used.
async function freePort() {
  for (let port = 20_000 + (process.pid % 10_000); port < 32_768; port += 1) {
    const probe = createServer();
    const listens = await new Promise((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (listens) {
      await new Promise((resolve) => probe.close(resolve));
      return port;
    }
  }
  throw new Error("no port is free");
}

// Administrators of the company's provider, which is another site than the console.
async function theProvider(browser) {
  const script = new URL("identity_provider.mjs", import.meta.url).pathname;
  const provider = spawn(process.execPath, [script, folder, "localhost"], { stdio: ["ignore", "pipe", "inherit"] });
  const [issuer] = await said(provider, "stdout", [/at (\S+)/]);
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const registration = { redirect_uris: [`${address}/callback`], application_type: "native", token_endpoint_auth_method: "client_secret_basic" };
  const answer = await fetch(`${issuer}/reg`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(registration) });
  const client = await answer.json();
  assert.ok(client.client_secret, JSON.stringify(client));
  const secret = path.join(home, "client-secret");
  writeFileSync(secret, `${client.client_secret}\n`);
  const settings = path.join(home, "console.toml");
  writeFileSync(settings, `[console]\nissuer = "${issuer}"\nclient_id = "${client.client_id}"\nclient_secret_file = "${secret}"\n` +
    'admins = { claim = "groups", values = ["it-admins"] }\n');
  const [base] = await announced(["serve", "--sandbox", "--http", "127.0.0.1:0", "--access", "link", "--console", `127.0.0.1:${port}`,
    "--config", settings, "--store", path.join(home, "provider.db")], [/the console is at (\S+)/]);
  const signIn = async (page, person) => {
    await page.goto(`${base}/accounts`);
    await page.getByRole("link", { name: "Sign in at localhost" }).click();
    await page.fill("input[name=login]", person);
    await page.fill("input[name=password]", "any");
    await page.click("button[type=submit]");
    await page.click("button[type=submit]");
  };
  await eachPage(browser, "provider", base, [], ["/login"]);
  for (const scripts of [true, false]) {
    await check(`an administrator signs in at the provider, ${scripts ? "with" : "without"} scripts`, () =>
      withPage(browser, { javaScriptEnabled: scripts }, [], async (page) => {
        await signIn(page, "ann@it-admins");
        await page.waitForURL(`${base}/tools`);
        assert.match(await page.textContent("header"), /Signed in as ann@example\.com/);
        await page.goto(`${base}/approvals`);
        await page.getByRole("heading", { name: "Waiting for a decision" }).waitFor();
      }));
  }
  await check("who is in another group is told so, and gets nothing", () =>
    withPage(browser, {}, [], async (page) => {
      await signIn(page, "ben@helpdesk");
      assert.match(await page.getByRole("alert").textContent(), /ben@example\.com, and you are no administrator here/);
      await page.goto(`${base}/accounts`);
      assert.equal(page.url(), `${base}/login`);
    }));
}

// Creates a link by which everything can be called that the server offers; gives its address.
async function createLink(page, base, name) {
  await page.goto(`${base}/links`);
  await page.fill("#name", name);
  await page.check("input[name=account][value=jitbit]");
  for (const method of ["write", "destructive"]) await page.check(`input[name=methods][value=${method}]`);
  await page.check("input[name=allow][value=irreversible]");
  await page.uncheck("input[name=second_token]");
  await page.click("text=Create the link");
  await page.getByRole("heading", { name: "The link is created" }).waitFor();
  return (await page.locator("main pre").first().textContent()).trim();
}

async function theServer(browser) {
  const store = path.join(home, "store.db");
  const token = execFileSync(binary, ["admin", "token", "create", "ops", "--store", store], { env: environment, stdio: ["ignore", "pipe", "ignore"] })
    .toString().trim();
  const flags = ["serve", "--sandbox", "--http", "127.0.0.1:0", "--access", "link", "--console", "127.0.0.1:0", "--store", store,
    "--audit", path.join(home, "calls.jsonl"), "--methods", "read,write,destructive", "--tags", "core,tickets,unverified", "--allow", "irreversible",
    "--confirm", "write", "--ask-for-more"];
  const [base] = await announced(flags, [/the console is at (\S+)/, /tools of the sandbox at (\S+)/]);
  let cookies = [];
  let [url, plain] = ["", ""];
  await check("an administrator signs in, without scripts, and not with a wrong token", () =>
    withPage(browser, { javaScriptEnabled: false }, [], async (page, context) => {
      await page.goto(`${base}/links`);
      assert.equal(page.url(), `${base}/login`);
      await page.fill("#token", "toolwright_admin_wrong");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
      await page.fill("#token", token);
      await page.keyboard.press("Enter");
      await page.waitForURL(`${base}/tools`);
      cookies = await context.cookies();
    }));
  await check("a link is created, shown once and used; its name stays text", () =>
    withPage(browser, { javaScriptEnabled: false }, cookies, async (page) => {
      plain = await createLink(page, base, "Night shift");
      url = await createLink(page, base, HOSTILE);
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/c\/[\w-]{43}\/mcp$/);
      await fits(page);
    }));
  await check("calls through the link are in the record", async () => {
    // A new link is known within a second.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await ask(url, "jitbit_search_tickets", { query: HOSTILE });
    await ask(url, "jitbit_search_tickets", {});
    await withPage(browser, { javaScriptEnabled: false }, cookies, async (page) => {
      await page.goto(`${base}/record?tool=search`);
      assert.equal(await page.locator("tbody tr").count(), 2);
      assert.ok((await page.textContent("tbody")).includes("onerror=alert(1)"));
    });
  });
  await eachPage(browser, "server", base, [], ["/login"]);
  const link = await withPage(browser, {}, cookies, async (page) => {
    await page.goto(`${base}/links`);
    return page.locator("tbody a").first().getAttribute("href");
  });
  await eachPage(browser, "server", base, cookies, ["/accounts", "/links", link, "/record", "/figures"]);
  await approvals(browser, base, cookies, url, plain);
  if (pictures) {
    await withPage(browser, { viewport: { width: 1000, height: 640 } }, cookies, async (page) => {
      await page.goto(`${base}/links`);
      await page.locator("#create").scrollIntoViewIfNeeded();
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot({ path: path.join(pictures, "console-links.png") });
    });
  }
  await check("the link is revoked by keyboard", () =>
    withPage(browser, {}, cookies, async (page) => {
      await page.goto(base + link);
      await tabTo(page, (what) => what === "Revoke the link");
      await page.keyboard.press("Enter");
      await page.locator("dd", { hasText: "revoked" }).first().waitFor();
    }));
  await check("signed out, nothing is shown", () =>
    withPage(browser, {}, cookies, async (page) => {
      await page.goto(`${base}/accounts`);
      await page.click("text=Sign out");
      await page.waitForURL(`${base}/login`);
      await page.goto(`${base}/accounts`);
      assert.equal(page.url(), `${base}/login`);
    }));
}

async function theFiles(browser) {
  const site = path.join(home, "site");
  execFileSync(binary, ["catalog", "html", site, "--vendor", "jitbit"], { env: environment, stdio: "ignore" });
  for (const file of ["index.html", "clients.html", "tools/jitbit_get_ticket.html"]) {
    for (const viewport of [NARROW, WIDE]) {
      await check(`file ${file}, ${viewport.width} px`, () =>
        withPage(browser, { viewport }, [], async (page) => {
          await page.goto(pathToFileURL(path.join(site, file)).href);
          await looksLikeAPage(page);
          await fits(page);
          await judged(page);
          await page.getByRole("link", { name: "Toolwright" }).first().click();
          await page.waitForURL(/index\.html$/);
        }));
    }
  }
}

const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
try {
  await theCatalog(browser);
  await theServer(browser);
  await theProvider(browser);
  await theFiles(browser);
  for (const name of ["console-tools.png", "console-workflow.png", "console-links.png", "console-approval.png"]) {
    const file = pictures && path.join(pictures, name);
    if (file && existsSync(file)) {
      await check(`${name} is small`, () => assert.ok(statSync(file).size <= LARGEST_PICTURE, `${statSync(file).size} bytes`));
    }
  }
} catch (error) {
  failed += 1;
  console.log(`FAILED  ${error.stack}`);
} finally {
  await browser.close();
  for (const program of running) {
    program.removeAllListeners("exit");
    program.kill();
  }
  rmSync(home, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
