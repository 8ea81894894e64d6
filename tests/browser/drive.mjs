// node drive.mjs SITE JOBS.json: opens a site in headless Chromium and prints what the page shows, as JSON.
// JOBS: {"modules": folder with puppeteer-core, "chromium": path, "steps": [...]}; a step is one of
// {"drop": file, "name": as}, {"choose": file}, {"tick": [columns]}, {"details": true}, {"explain": model}, {"shot": png, "dark": true, "width": 1280},
// {"open": file of the site, "shot": png}: another document, in windows of 1280 and 400 pixels, light and dark,
// {"claims": {"hub": file, "tables": {name: file}, "files": [[name, statements]]}}.
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';

const [site, jobs] = process.argv.slice(2);
const { modules, chromium, steps } = JSON.parse(fs.readFileSync(jobs, 'utf8'));
const puppeteer = createRequire(path.join(modules, 'x.js'))('puppeteer-core');
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.json': 'application/json' };
const server = http.createServer((request, answer) => {
  const file = path.join(site, request.url === '/' ? 'index.html' : decodeURIComponent(new URL(request.url, 'http://x').pathname));
  if (!fs.existsSync(file)) return answer.writeHead(404).end();
  answer.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' });
  return fs.createReadStream(file).pipe(answer);
}).listen(0, '127.0.0.1');
await new Promise((done) => server.on('listening', done));
const origin = `http://127.0.0.1:${server.address().port}`;

const profile = fs.mkdtempSync(path.join(path.dirname(jobs), 'profile-'));
const browser = await puppeteer.launch({
  executablePath: chromium, userDataDir: profile, protocolTimeout: 300000,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage();
const outside = [];
const errors = [];
const requests = [];
const watch = async (target) => {
  try {
    const session = await target.createCDPSession();
    await session.send('Network.enable');
    session.on('Network.requestWillBeSent', ({ request }) => {
      requests.push(request.url);
      if (!request.url.startsWith(`${origin}/`) && !/^(data:|blob:http:\/\/127)/.test(request.url)) outside.push(request.url);
    });
  } catch { /* a target that has gone already */ }
};
page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
page.on('pageerror', (error) => errors.push(String(error)));
page.on('workercreated', (worker) => worker.client.on('Network.requestWillBeSent', ({ request }) => {
  if (!request.url.startsWith(`${origin}/`) && !/^(data:|blob:http:\/\/127)/.test(request.url)) outside.push(request.url);
}));
await watch(page.target());
await page.setViewport({ width: 1280, height: 900 });

const settled = (...states) => page.waitForFunction(
  (wanted) => wanted.includes(document.body.dataset.state), { timeout: 240000 }, states);
const act = async (what, ...args) => {
  await page.evaluate(() => { document.body.dataset.state = 'asked'; });
  await page.evaluate(what, ...args);
  await settled('done', 'failed');
};
const shown = () => page.evaluate(() => {
  const text = (id) => document.getElementById(id).textContent.trim();
  const rows = (id) => [...document.querySelectorAll(`#${id} tbody tr`)].map((line) => ({
    ...Object.fromEntries([...line.querySelectorAll('td[data-name]')].map((cell) => [cell.dataset.name, cell.dataset.value ?? null])),
    text: line.textContent, model: line.dataset.model ?? null,
  }));
  return {
    state: document.body.dataset.state, sentence: text('sentence'), error: text('error'), status: text('status'), about: text('about'),
    made: text('made'), why: text('why-title'), ranking: rows('ranking'), coverage: document.getElementById('coverage').hidden ? '' : text('coverage-title'),
    covered: document.getElementById('coverage').hidden ? [] : rows('covered'), dropped: rows('dropped'), features: rows('features'),
    pictures: document.querySelectorAll('#pictures figure svg[aria-label]').length, scripts: document.scripts.length,
    ticked: [...document.querySelectorAll('#boxes input:checked')].map((box) => box.parentNode.querySelector('span').textContent),
    overflow: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    unlabelled: [...document.querySelectorAll('input,button')].filter((each) => !each.labels?.length && !each.textContent.trim()).length,
  };
});

const answers = [];
let left = [];
const began = Date.now();
await page.goto(`${origin}/`);
await settled('ready', 'failed');
answers.push({ ...(await shown()), milliseconds: Date.now() - began });
if (answers[0].state === 'failed') throw new Error(answers[0].error);
for (const step of steps) {
  const since = Date.now();
  if (step.drop) {
    const base64 = fs.readFileSync(step.drop).toString('base64');
    await act(async (name, data) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
      for (const kind of ['dragenter', 'dragover', 'drop']) {
        document.getElementById('drop').dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
      }
    }, step.name ?? path.basename(step.drop), base64);
  } else if (step.choose) {
    await page.evaluate(() => { document.body.dataset.state = 'asked'; });
    await (await page.$('#file')).uploadFile(step.choose);
    await settled('done', 'failed');
  } else if (step.tick) {
    await act((names) => {
      for (const label of document.querySelectorAll('#boxes label')) {
        const box = label.querySelector('input');
        if (box.checked !== names.includes(label.querySelector('span').textContent)) box.click();
      }
    }, step.tick);
  } else if (step.details !== undefined) {
    await act((wanted) => document.getElementById('details').checked === wanted || document.getElementById('details').click(), step.details);
  } else if (step.explain) {
    // By the keyboard.
    await page.evaluate(() => { document.body.dataset.state = 'asked'; });
    await page.evaluate((name) => document.querySelector(`tr[data-model="${CSS.escape(name)}"] button`).focus(), step.explain);
    await page.keyboard.press('Enter');
    await settled('done', 'failed');
  } else if (step.open) {
    answers.push(await opened(step));
    continue;
  } else if (step.shot) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: step.dark ? 'dark' : 'light' }]);
    await page.setViewport({ width: step.width ?? 1280, height: 900 });
    await page.screenshot({ path: step.shot, fullPage: true });
  } else if (step.claims) {
    // What the page asked for; claims about time zones ask for an extension, and go without.
    left = [...outside];
    answers.push(await claims(step.claims));
    continue;
  }
  answers.push({ ...(await shown()), milliseconds: Date.now() - since });
}

/** What another document of the site shows: its text, and whether its window scrolls to the side. */
async function opened(step) {
  const other = await browser.newPage();
  other.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  other.on('pageerror', (error) => errors.push(String(error)));
  await watch(other.target());
  const seen = { text: '', scrolls: {}, broken: 0 };
  for (const [width, scheme] of [[1280, 'dark'], [1280, 'light'], [400, 'light']]) {
    await other.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await other.setViewport({ width, height: 900 });
    await other.goto(`${origin}/${step.open}`);
    const found = await other.evaluate(() => ({
      text: document.body.innerText,
      scrolls: document.documentElement.scrollWidth > document.documentElement.clientWidth,
      broken: [...document.images].filter((image) => !image.naturalWidth).length,
    }));
    seen.text = found.text;
    seen.broken += found.broken;
    seen.scrolls[width] ||= found.scrolls;
    if (step.shot) await other.screenshot({ path: step.shot.replace('.png', `-${width}-${scheme}.png`), fullPage: true });
  }
  await other.close();
  return seen;
}

/** The claims, in a database of their own that the hub's file is attached to: here its own logic runs, as in any client. */
async function claims({ hub, tables, files }) {
  const bytes = (file) => fs.readFileSync(file).toString('base64');
  await page.evaluate(async (hubFile, rows) => {
    const { start } = await import('/engine.js');
    const blob = (data) => new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))]);
    const engine = await start();
    window.claimed = engine;
    for (const [name, data] of rows) await engine.loadParquet(name, blob(data));
    await engine.readable('claims.duckdb', blob(hubFile));
    await engine.run(["ATTACH 'claims.duckdb' AS hub (READ_ONLY)"]);
  }, bytes(hub), Object.entries(tables).map(([name, file]) => [name, bytes(file)]));
  const found = { held: 0, failed: [], broke: [] };
  for (const [file, statements] of files) {
    await page.evaluate(async () => {
      await window.claimed.con.close();
      window.claimed.con = await window.claimed.db.connect();
      await window.claimed.run(['USE hub']);
    });
    for (const statement of statements) {
      const rows = await page.evaluate(async (query) => {
        try {
          return (await window.claimed.rows(query)).map((row) => Object.values(row));
        } catch (error) {
          return String(error.message);
        }
      }, statement);
      if (typeof rows === 'string') found.broke.push([file, rows.slice(0, 300), statement.slice(0, 120)]);
      else for (const [claim, holds] of rows) if (typeof holds === 'boolean') holds ? found.held++ : found.failed.push([file, claim]);
    }
  }
  return found;
}

await browser.close();
server.close();
fs.rmSync(profile, { recursive: true, force: true });
console.log(JSON.stringify({ answers, outside: left, errors, requests: requests.length }));
