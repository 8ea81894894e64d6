// The page: a file is dropped, the package's SQL (logic.json) runs over the hub's tables (hub.duckdb), the answer is shown.
// What a hub or a file says reaches the page as text nodes only.
import { fetched, list, start, text } from './engine.js';
import { picture, share_bar, strip } from './pictures.js';

const MODELS = 100;
const PICTURES = 12;
const COVERING = 20;
const at = (id) => document.getElementById(id);
const state = { engine: null, logic: null, target: null, asked: 0, turn: Promise.resolve() };

/** An element with attributes and children; a child that is text stays text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.map((child) => (child instanceof Node ? child : visible(child))));
  return made;
}

/** Text whose control characters, those that turn the direction of writing too, are shown. */
function visible(value) {
  return String(value ?? '').replace(/(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

const number = (value) => (value === null || value === undefined ? '' : value.toFixed(2));
const percent = (value) => (value === null || value === undefined ? '' : `${Math.round(100 * value)} %`);
const count = (value) => (value === null || value === undefined ? '' : value.toLocaleString('en'));
const named = (row) => row.model + (row.version ? ` ${row.version}` : '');

function table(caption, columns, rows) {
  const head = element('tr', {}, ...columns.map(({ title, kind }) => element('th', { class: kind, scope: 'col' }, title)));
  const body = rows.map((row) =>
    element('tr', { class: row.class, 'data-model': row.model, 'data-version': row.version },
      ...columns.map(({ kind, name, shown }) => {
        const value = shown(row);
        return element('td', { class: kind, 'data-name': name, 'data-value': row[name] }, value);
      })));
  const made = element('table', {}, element('caption', { class: 'unseen' }, caption),
    element('thead', {}, head), element('tbody', {}, ...body));
  return element('div', { class: 'wide' }, made);
}

function show(id, is_shown = true) {
  at(id).hidden = !is_shown;
}

function say(message, name) {
  at('status').textContent = visible(message);
  if (name) document.body.dataset.state = name;
}

function refuse(error) {
  // The hub's SQL names the class of what it refuses; a file has the name here that it was given.
  let message = String(error?.message ?? error);
  message = /(?:Dataset|Option|HubFormat|ModelNotFound)Error: ([^]*?)(?:\n\nLINE |$)/.exec(message)?.[1] ?? message;
  if (state.target) message = message.replaceAll(state.target.table, state.target.name);
  at('error').textContent = message.split('\n').map(visible).join('\n');
  show('error');
  say('', 'failed');
  console.warn(error);
}

/** Work that runs after the work before it; what was asked for before and has not begun is dropped. */
function later(work) {
  const asked = ++state.asked;
  state.turn = state.turn.then(async () => {
    if (asked !== state.asked) return;
    show('error', false);
    document.body.dataset.state = 'busy';
    try {
      await work();
      document.body.dataset.state = 'done';
    } catch (error) {
      refuse(error);
    }
  });
  return state.turn;
}

async function open_hub() {
  const [logic, hub, engine] = await Promise.all([
    fetched('logic.json').then(async (file) => JSON.parse(await file.text())), fetched('hub.duckdb'), start(),
  ]);
  await engine.readable('hub.duckdb', hub);
  await engine.run(logic.install);
  Object.assign(state, { engine, logic });
  const [{ models, version }] = await engine.rows(logic.about);
  at('about').textContent =
    `${count(models)} models of ${visible(logic.hub)}. Drop a table, and see which of them was trained on data like it.`;
  at('made').textContent = `Made ${logic.made} with modelhub-sql ${logic.version}, from sketches of the models' data. DuckDB ${version} runs in this tab.`;
  at('file').disabled = false;
  say('', 'ready');
}

async function open_file(file) {
  const { engine, logic } = state;
  say(`Reading ${file.name}…`);
  for (const id of ['answer', 'coverage', 'why', 'columns']) show(id, false);
  const ending = /\.(parquet|[ct]sv(?:\.gz)?)$/i.exec(file.name)?.[1].toLowerCase();
  state.target = { name: file.name, table: ending === 'parquet' ? 'target_rows' : `target.${ending}` };
  if (!ending) throw new Error(`${file.name} is no parquet or csv file: its name ends in .parquet, .csv, .tsv, .csv.gz or .tsv.gz.`);
  if (!file.size) throw new Error(`${file.name} is empty.`);
  if (/\.sketch\.parquet$/i.test(file.name)) throw new Error(`${file.name} is a sketch, not rows: drop the table itself, or use modelhub find.`);
  if (ending === 'parquet') {
    try {
      await engine.loadParquet('target_rows', file);
    } catch (error) {
      throw new Error(`${file.name} can't be read as parquet: ${error.message ?? error}`);
    }
    state.target.dataset = 'memory.main.target_rows';
  } else {
    await engine.readable(state.target.table, file);
    state.target.dataset = state.target.table;
  }
  await engine.run([`SET VARIABLE page_dataset = ${text(state.target.dataset)}`, ...logic.open]);
  state.target.columns = await engine.rows(logic.columns);
  if (!state.target.columns.length) throw new Error(`${file.name} has no rows.`);
  show_columns();
  await search();
}

function show_columns() {
  at('boxes').replaceChildren(...state.target.columns.map((column, place) => {
    const box = element('input', { type: 'checkbox', checked: column.ticked, 'data-place': place });
    return element('label', {}, box, ' ', element('span', {}, column.feature), ' ', element('span', { class: 'type' }, column.type));
  }));
  show('columns');
}

const ticked = () => [...at('boxes').querySelectorAll('input:checked')].map((box) => state.target.columns[box.dataset.place]);

async function search() {
  const { engine, logic, target } = state;
  const excluded = ticked();
  at('chosen').textContent = excluded.length ? excluded.map((column) => visible(column.feature)).join(', ') : 'none';
  if (excluded.length === target.columns.length) throw new Error('All columns are left out: untick those to compare.');
  say('Searching…');
  const began = performance.now();
  const left = target.columns.filter((column) => !excluded.includes(column));
  const forms = new Set(left.map((column) => column.form).filter((form) => form !== null));
  await engine.run([
    `SET VARIABLE page_exclude = ${list(excluded.map((column) => column.feature))}`,
    `SET VARIABLE page_forms = ${list(forms)}`,
    ...logic.sketch, ...(at('details').checked ? logic.find_detailed : logic.find),
  ]);
  const found = await engine.rows(logic.found);
  const dropped = await engine.rows(logic.dropped);
  const [{ rows, skipped, summary }] = await engine.rows(logic.summary);
  at('sentence').textContent = visible(found[0]?.summary ?? summary ?? 'no model in the hub fits');
  at('notes').replaceChildren(...(skipped ?? []).map((column) => element('li', {}, `left out: ${column}`)));
  show_ranking(found);
  show_dropped(dropped);
  await show_coverage(found);
  show('answer');
  show('why', found.length > 0);
  show('ranking', found.length > 0);
  if (found.length) await explain(found[0]);
  say(`${count(rows)} rows of ${target.name} compared in ${((performance.now() - began) / 1000).toFixed(1)} seconds.`);
}

function show_ranking(found) {
  const columns = [
    { name: 'rank', title: 'Rank', kind: 'n', shown: (row) => row.rank },
    { name: 'model', title: 'Model', kind: 'name', shown: (row) => element('button', { type: 'button' }, named(row)) },
    { name: 'verdict', title: 'Verdict', kind: 'verdict', shown: verdict },
    { name: 'distance', title: 'Distance', kind: 'n', shown: (row) => number(row.distance) },
    { name: 'bar', title: '', kind: 'less', shown: (row) => share_bar(row.distance, row.verdict) },
    { name: 'overlap', title: 'Overlap', kind: 'n less', shown: (row) => percent(row.overlap) },
    ...(found.some((row) => row.source_accuracy !== null) ? [
      { name: 'source_accuracy', title: 'Accuracy', kind: 'n', shown: (row) => number(row.source_accuracy) },
    ] : []),
    { name: 'source_rows', title: 'Rows', kind: 'n less', shown: (row) => count(row.source_rows) },
    ...(at('details').checked ? [
      { name: 'coverage', title: 'Coverage', kind: 'n less', shown: (row) => percent(row.coverage) },
      { name: 'adaptivity', title: 'Adaptivity', kind: 'n less', shown: (row) => number(row.adaptivity) },
    ] : []),
  ];
  at('ranking').replaceChildren(
    table('Models that fit, best first', columns, found.slice(0, MODELS).map((row) => ({ ...row, class: 'pick' }))),
    element('p', { class: 'soft' }, 'Distance: 0 is the same, 1 has nothing in common. Overlap: the share of your columns that the model has. ' +
      'Choose a model to see why.' + (found.length > MODELS ? ` The first ${MODELS} of ${count(found.length)}.` : '')),
  );
  state.found = found;
}

function verdict(row) {
  const known = ['same', 'close', 'partly', 'far'].includes(row.verdict) ? row.verdict : '';
  return element('span', {}, element('span', { class: `dot ${known}`, 'aria-hidden': 'true' }), row.verdict);
}

function show_dropped(dropped) {
  show('dropped', dropped.length > 0);
  at('dropped').querySelector('summary').textContent = `Not listed: ${count(dropped.length)} models, and why`;
  at('dropped').querySelector('div').replaceChildren(table('Models that are not listed', [
    { name: 'model', title: 'Model', shown: named },
    { name: 'distance', title: 'Distance', kind: 'n', shown: (row) => number(row.distance) },
    { name: 'dropped', title: 'Why', shown: (row) => row.dropped },
  ], dropped.slice(0, MODELS)));
}

/** Which partitions of the table the listed models cover, and which no model that was compared. */
async function show_coverage(found) {
  const { engine, logic } = state;
  show('coverage', at('details').checked);
  if (!at('details').checked) return;
  const [{ matches }] = await engine.rows(logic.covered_by_any);
  const uncovered = (matches ?? []).filter((each) => !each).length;
  at('coverage-title').textContent = !matches ? 'No model was compared partition by partition'
    : uncovered ? `${count(uncovered)} of ${count(matches.length)} partitions of the table are covered by no model`
      : 'Each partition of the table is covered by some model';
  at('coverage-note').textContent = 'A partition is some rows of the table, drawn at random (500, unless the hub says otherwise). A model covers it ' +
    'where it is like a partition of the model\'s data' + (found[0]?.max_js ? `: a Jensen-Shannon divergence of at most ${number(found[0].max_js)}.` : '.') +
    ' Adaptivity: how many partitions of the model each matches, on average.';
  const rows = matches ? [...(await engine.rows(logic.covered)).slice(0, COVERING), { model: 'any model of the hub', matches }] : [];
  at('covered').replaceChildren(table('Which partitions each model covers', [
    { name: 'covering', title: 'Model', kind: 'name', shown: named },
    { name: 'covered', title: 'Covered', kind: 'n', shown: (row) => `${count(row.covered)} of ${count(row.matches.length)}` },
    { name: 'strip', title: 'Partition by partition', shown: (row) => strip(row.matches) },
  ], rows.map((row) => ({ ...row, covering: row.model, covered: row.matches.filter((each) => each).length }))));
}

async function explain(row) {
  const { engine, logic } = state;
  await engine.run([
    `SET VARIABLE page_model = ${text(row.model)}`, `SET VARIABLE page_version = ${text(row.version)}`, ...logic.explain,
  ]);
  const features = await engine.rows(logic.features);
  const bins = new Map(features.map((feature) => [feature.target_feature, []]));
  for (const bin of await engine.rows(logic.bins)) bins.get(bin.target_feature).push(bin);
  for (const line of at('ranking').querySelectorAll('tr.pick')) {
    const is_it = line.dataset.model === row.model && line.dataset.version === row.version;
    line.classList.toggle('on', is_it);
    line.querySelector('button').setAttribute('aria-pressed', is_it);
  }
  at('why-title').textContent = visible(`Why ${named(row)}: ${row.verdict}, distance ${number(row.distance)}`);
  at('why-model').textContent = visible([
    `Trained on ${count(row.source_rows)} rows`, row.uri ? `the model is at ${row.uri}` : '',
    `two samples of the same data would be about ${number(row.expected_distance)} apart`,
  ].filter(Boolean).join('; ') + '.');
  const compared = features.filter((feature) => feature.source_feature !== null && feature.distance !== null);
  compared.sort((a, b) => b.distance - a.distance);
  const lacking = features.filter((feature) => feature.source_feature === null && feature.kind !== null);
  at('pictures').replaceChildren(
    element('p', { class: 'legend' },
      element('span', {}, element('i', { class: 'target' }), 'your table'),
      element('span', {}, element('i', { class: 'model' }), "the model's data"),
      compared.length > PICTURES ? `the farthest ${PICTURES} of ${compared.length} features` : 'the farthest first'),
    element('div', { class: 'panels' }, ...compared.slice(0, PICTURES).map((feature) => panel(feature, bins.get(feature.target_feature)))),
    lacking.length ? element('p', {}, `The model lacks: ${lacking.map((feature) => feature.target_feature).join(', ')}.`) : '',
  );
  at('features').querySelector('div').replaceChildren(table('All features, the nearest first', [
    { name: 'target_feature', title: 'Feature', shown: (each) => each.target_feature },
    { name: 'source_feature', title: 'There', shown: (each) => each.source_feature },
    { name: 'distance', title: 'Distance', kind: 'n', shown: (each) => number(each.distance) },
    { name: 'target_range', title: 'Here', kind: 'less', shown: (each) => each.target_range },
    { name: 'source_range', title: 'There', kind: 'less', shown: (each) => each.source_range },
    { name: 'reason', title: 'Why', shown: (each) => each.reason },
  ], features));
}

function panel(feature, bins) {
  const other = feature.source_feature === feature.target_feature ? '' : `, there ${feature.source_feature}`;
  const why = other || !feature.reason ? '' : `: ${feature.reason}`;
  const said = `distance ${number(feature.distance)}${other}${why}`;
  const { svg, ends, note } = picture(bins, feature.kind);
  const ranges = [feature.target_range && `here ${feature.target_range}`, feature.source_range && `there ${feature.source_range}`];
  svg.setAttribute('aria-label', visible([`${feature.target_feature}: ${said}`, ...ranges.filter(Boolean)].join(', ')));
  return element('figure', {}, element('h3', {}, feature.target_feature), svg,
    element('div', { class: 'ends', 'aria-hidden': 'true' }, ...ends.map((end) => element('span', {}, end))),
    element('figcaption', {}, [said, note].filter(Boolean).join('; ')));
}

function chosen(files) {
  if (files.length > 1) return refuse(new Error('One file at a time.'));
  if (files.length && state.engine) later(() => open_file(files[0]));
}

// Dropped beside the box, a file would take the place of the page.
addEventListener('dragover', (event) => {
  event.preventDefault();
  at('drop').classList.add('over');
});
addEventListener('dragleave', (event) => event.relatedTarget ?? at('drop').classList.remove('over'));
addEventListener('drop', (event) => {
  event.preventDefault();
  at('drop').classList.remove('over');
  at('file').value = '';
  chosen(event.dataTransfer.files);
});
at('file').addEventListener('change', (event) => chosen(event.target.files));
for (const id of ['boxes', 'details']) at(id).addEventListener('change', () => later(search));
at('ranking').addEventListener('click', (event) => {
  const line = event.target.closest('tr.pick');
  const row = line && state.found.find((each) => each.model === line.dataset.model && each.version === line.dataset.version);
  if (row) later(async () => {
    await explain(row);
    say(`${named(row)} is explained below.`);
  });
});

open_hub().catch((error) => {
  at('about').textContent = 'The page could not start.';
  refuse(error);
});
