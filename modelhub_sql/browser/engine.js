// DuckDB in this tab. Bundled with its packages by modelhub_sql/page.py; the rest of the site is plain files.
import * as duckdb from '@duckdb/duckdb-wasm';
import initParquet, { readParquet } from 'parquet-wasm/esm/parquet_wasm.js';

const here = new URL('.', import.meta.url).href;
let parquetReady;

/** A database in memory, and a connection to it. */
export async function start() {
  if (!(await duckdb.getPlatformFeatures()).wasmExceptions) {
    throw new Error('This browser is too old: it needs WebAssembly with exceptions (Chrome 95, Firefox 100, Safari 15.2).');
  }
  // A worker from a blob is bound by the page's Content-Security-Policy; one from a file would not be.
  const program = await fetched('duckdb-browser-eh.worker.js');
  const worker = new Worker(URL.createObjectURL(new Blob([program], { type: 'text/javascript' })));
  const db = new duckdb.AsyncDuckDB(new duckdb.VoidLogger(), worker);
  await db.instantiate(`${here}duckdb-eh.wasm`);
  await db.open({ path: ':memory:', query: { castBigIntToDouble: true } });
  const con = await db.connect();
  await con.query('SET autoinstall_known_extensions = false');
  await con.query('SET autoload_known_extensions = false');
  return new Engine(db, con);
}

export async function fetched(name) {
  const answer = await fetch(here + name);
  if (!answer.ok) throw new Error(`${name} is not there (${answer.status}): make the site again with modelhub page.`);
  return answer.blob();
}

export const text = (value) => `'${String(value).replaceAll("'", "''")}'`;
export const list = (values) => `[${[...values].map(text).join(', ')}]::VARCHAR[]`;

class Engine {
  constructor(db, con) {
    this.db = db;
    this.con = con;
  }

  async rows(query) {
    return (await this.con.query(query)).toArray().map((row) => plain(row.toJSON()));
  }

  async run(statements) {
    for (const statement of statements) await this.con.query(statement);
  }

  /** A file as DuckDB sees it, under a name that we give it. */
  async readable(name, blob) {
    await this.db.dropFile(name).catch(() => 0);
    await this.db.registerFileHandle(name, new File([blob], name), duckdb.DuckDBDataProtocol.BROWSER_FILEREADER, true);
  }

  /** The rows of a parquet file as a table of the database in memory: DuckDB's own reader would be fetched from elsewhere. */
  async loadParquet(table, blob) {
    parquetReady ??= fetched('parquet_wasm_bg.wasm').then(async (file) => initParquet({ module_or_path: await file.arrayBuffer() }));
    await parquetReady;
    const stream = readParquet(new Uint8Array(await blob.arrayBuffer())).intoIPCStream();
    const con = await this.db.connect();
    try {
      await con.query(`DROP TABLE IF EXISTS memory.main.${table}`);
      await con.insertArrowFromIPCStream(stream, { name: table, schema: 'main', create: true });
    } finally {
      await con.close();
    }
  }
}

/** Values of Arrow as plain ones: lists as arrays, 64 bits as numbers. */
function plain(value) {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  if (value[Symbol.iterator]) return [...value].map(plain);
  return Object.fromEntries(Object.entries(value.toJSON?.() ?? value).map(([name, each]) => [name, plain(each)]));
}
