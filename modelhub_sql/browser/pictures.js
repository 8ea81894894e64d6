// Pictures as SVG: a feature of the table over that of the model, from the bins of both sketches.
const BARS = 40;
const WORDS = 16;
const [WIDTH, HEIGHT] = [280, 90];

function shape(name, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A share of 1 as a bar. */
export function share_bar(value, verdict) {
  const known = ['same', 'close', 'partly', 'far'].includes(verdict) ? verdict : '';
  const width = Math.max(1, 100 * Math.min(1, value));
  return shape('svg', { viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    shape('rect', { class: 'track', width: 100, height: 8 }), shape('rect', { class: `bar ${known}`, width, height: 8 }));
}

/** A cell for each partition, filled where something matches it. */
export function strip(matches) {
  const cells = matches.map((each, i) => shape('rect', { class: each ? 'covered' : 'uncovered', x: i + 0.05, width: 0.9, height: 1 }));
  return shape('svg', { class: 'strip', viewBox: `0 0 ${matches.length} 1`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, ...cells);
}

/** bins: rows of drawn_bin of one feature. Returns the svg, what to write at its ends, and a note. */
export function picture(bins, kind) {
  const sides = [bins.filter((bin) => bin.owner === 0), bins.filter((bin) => bin.owner !== 0)];
  const { shares, ends, note } = kind === 'text' ? words(sides) : intervals(sides, kind);
  const most = Math.max(1e-9, ...shares.flat());
  const step = WIDTH / shares[0].length;
  const y = (share) => HEIGHT - (HEIGHT - 4) * share / most;
  const line = (side) => side.map((share, i) => `${i ? 'L' : 'M'}${i * step},${y(share)}H${(i + 1) * step}`).join('');
  const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT + 1}`, role: 'img' },
    shape('path', { class: 'target', d: `M0,${HEIGHT}${line(shares[0]).replace('M', 'L')}L${WIDTH},${HEIGHT}Z` }),
    shape('path', { class: 'model', d: line(shares[1]) }),
    shape('path', { class: 'axis', d: `M0,${HEIGHT + 0.5}H${WIDTH}` }));
  return { svg, ends, note };
}

/** The shares of equal intervals that the middle 98 % of both sides lie in. */
function intervals(sides, kind) {
  const filled = sides.filter((side) => side.length);
  if (!filled.length) return { shares: [[0], [0]], ends: [], note: 'no finite value' };
  const low = Math.min(...filled.map((side) => percentile(side, 0.01, 'low')));
  const high = Math.max(...filled.map((side) => percentile(side, 0.99, 'high')));
  const edges = Array.from({ length: BARS + 1 }, (_, i) => low + (high - low) * i / BARS);
  // What lies below each edge; a bin's values are spread evenly over it.
  const shares = sides.map((side) => {
    const below = edges.map((edge) => side.reduce((sum, bin) =>
      sum + bin.share * Math.min(1, Math.max(0, (edge - bin.low) / (bin.high - bin.low))), 0));
    return below.slice(1).map((value, i) => value - below[i]);
  });
  const outside = Math.max(...shares.filter((_, i) => sides[i].length).map((side) => 1 - side.reduce((a, b) => a + b, 0)));
  const note = outside > 0.005 ? `up to ${Math.round(100 * outside)} % lies outside` : '';
  return { shares, ends: [shown(low, kind), shown(high, kind)], note };
}

function percentile(side, place, end) {
  const all = side.reduce((sum, bin) => sum + bin.share, 0);
  let sum = 0;
  return (side.find((bin) => (sum += bin.share) >= place * all) ?? side.at(-1))[end];
}

function shown(value, kind) {
  // A time of day, or an interval, is a time from 1970 on.
  if (kind === 'time' && Math.abs(value) < 172800e6) return `${Number((value / 3600e6).toPrecision(4))} h`;
  if (kind === 'time' && Math.abs(value) < 8e18) return new Date(value / 1000).toISOString().slice(0, 10);
  return String(Number(value.toPrecision(4)));
}

function words(sides) {
  const [here, there] = sides.map((side) => new Map(side.map((bin) => [bin.low, bin.share])));
  const most = [...new Set([...here.keys(), ...there.keys()])]
    .map((word) => [here.get(word) ?? 0, there.get(word) ?? 0])
    .sort((a, b) => Math.max(...b) - Math.max(...a))
    .slice(0, WORDS);
  if (!most.length) return { shares: [[0], [0]], ends: [], note: 'no word' };
  return { shares: [0, 1].map((side) => most.map((pair) => pair[side])), ends: [], note: `the ${most.length} most frequent words, unnamed` };
}
