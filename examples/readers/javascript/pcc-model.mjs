// Reads a published model, model.safetensors, in Node.js and in browsers, without packages.
//
//   const model = readModel(await (await fetch("model.safetensors")).arrayBuffer());
//   model.predictProba(["Please delete my account"]);  // for each row, an array of probabilities
//
//   node pcc-model.mjs model.safetensors < rows.json
//
// docs/model-format.md of pcc-training-job specifies the file.

const ARRAYS = { F64: Float64Array, I64: BigInt64Array, U8: Uint8Array };
const KINDS = [
  ...["terms", "embeddings", "numeric", "boolean", "categorical"], // blocks
  ...["linear", "constant", "prototypes", "prototypes_with_perceptron"], // heads
  ...["softmax", "sigmoid", "platt", "identity"], // links
];
const WORDS = /[\p{L}\p{N}_]{2,}/gu;
const SPACES = /[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;
const decode = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

/** Return the model in an ArrayBuffer or Uint8Array; throw an error if it cannot be read. */
export function readModel(file) {
  try {
    return makeModel(readContent(new Uint8Array(file).buffer));
  } catch (error) {
    throw new Error(`not a model file of format version 1: ${error.message}`);
  }
}

function readContent(buffer) {
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  const { __metadata__: texts, ...entries } = JSON.parse(decode(buffer.slice(8, start)));
  const model = JSON.parse(texts.model);
  if (model.format !== "pcc-plain-model" || model.format_version !== 1) {
    throw new Error("unknown format or version of the format");
  }
  for (const [name, { dtype, shape, data_offsets: [begin, end] }] of Object.entries(entries)) {
    const values = new ARRAYS[dtype](buffer.slice(start + begin, start + end));
    if (values.length !== shape.reduce((a, b) => a * b)) throw new Error(`${name} is cut off`);
    if (dtype === "F64" && !values.every(Number.isFinite)) {
      throw new Error(`the array ${name} has a number that is not finite`);
    }
    const path = name.split("/");
    const last = path.pop();
    path.reduce((part, key) => part[key], model)[last] = { values, shape };
  }
  return model;
}

function makeModel({ blocks, head, link, classes, decision_threshold: decisionThreshold }) {
  for (const part of [...blocks, head, link]) {
    if (!KINDS.includes(part.kind)) throw new Error(`unknown kind ${part.kind}`);
    if (part.kind === "terms") {
      const terms = decode(part.terms.values).split("\n");
      part.positions = new Map(terms.map((term, n) => [term, n]));
    }
  }
  const predict = (row) => {
    const proba = applyLink(link, computeScores(head, joinFeatures(blocks, row)));
    if (!proba.every(Number.isFinite)) throw new Error("the numbers of a row are too large");
    return proba;
  };
  const predictProba = (rows) => {
    if (!Array.isArray(rows)) throw new Error("expected a list of rows");
    return rows.map(predict);
  };
  return { classes, decisionThreshold, predictProba };
}

// The features of a row are pairs of a position and a value; all other features are 0.

function joinFeatures(blocks, row) {
  let start = 0;
  return blocks.flatMap((block) => {
    const before = start;
    const [width, pairs] = computeFeatures(block, row);
    start += width;
    return pairs.map(([position, value]) => [before + position, value]);
  });
}

function computeFeatures(block, row) {
  const { kind, names } = block;
  if (kind === "terms") {
    const text = block.column === null ? row : readCell(row, block.column);
    return [block.positions.size, weighTerms(block, text)];
  }
  const cells = names ? names.map((name) => readCell(row, name)) : Array.from(row ?? []);
  if (kind === "categorical") return dense(cells.flatMap((cell, n) => mark(block.levels[n], cell)));
  let x = cells.map(readNumber);
  const isMissing = x.map(Number.isNaN);
  if (kind === "boolean") {
    if (x.some((v) => v !== 0 && v !== 1 && !Number.isNaN(v))) {
      throw new Error("expected true, false, 1, 0 or null in a column of booleans");
    }
    return dense([...x.map((v, n) => (isMissing[n] ? block.fill.values[n] : v)), ...isMissing]);
  }
  if (kind === "embeddings" && (x.length !== block.n_given || isMissing.includes(true))) {
    throw new Error(`expected an embedding of ${block.n_given} numbers`);
  }
  if (block.columns) x = Array.from(block.columns.values, (column) => x[column]);
  if (block.offset) x = x.map((v, n) => block.offset.values[n] + block.scale.values[n] * v);
  if (kind === "numeric") return dense([...x.map((v) => Math.asinh(v) || 0), ...isMissing]);
  const [width, pairs] = dense(x);
  return [width, block.unit_rows ? scale(pairs) : pairs];
}

function readCell(row, name) {
  if (!Object.hasOwn(Object(row), name)) throw new Error(`a row has no column ${name}`);
  return row[name];
}

function readNumber(cell) {
  if (cell === null || Number.isNaN(cell)) return NaN;
  if (typeof cell === "boolean" || Number.isFinite(cell)) return Number(cell);
  throw new Error("expected a finite number, true, false or null");
}

const dense = (values) => [values.length, values.map((value, n) => [n, Number(value)])];

function mark(levels, cell) {
  const level = cell === null || Number.isNaN(cell) ? "__none__" : cell;
  if (typeof level !== "string") throw new Error("expected a string or null as a category");
  return [...levels.map((known) => known === level), !levels.includes(level)];
}

function weighTerms({ positions, analyzer, ngrams: [low, high] }, text) {
  if (typeof text !== "string") throw new Error("expected a text");
  const split = analyzer === "word" ? splitWords : splitCharacters;
  const counts = new Map();
  for (const term of split(text.toLowerCase(), low, high)) {
    const position = positions.get(term);
    if (position !== undefined) counts.set(position, (counts.get(position) ?? 0) + 1);
  }
  return scale([...counts].map(([position, count]) => [position, 1 + Math.log(count)]));
}

function* splitWords(text, low, high) {
  const words = text.match(WORDS) ?? [];
  for (let n = low; n <= high; n++) {
    for (let i = 0; i + n <= words.length; i++) yield words.slice(i, i + n).join(" ");
  }
}

function* splitCharacters(text, low, high) {
  for (const word of text.split(SPACES).filter(Boolean)) {
    const padded = [" ", ...word, " "]; // code points
    for (let n = low; n === low || n <= Math.min(high, padded.length); n++) {
      for (let i = 0; i === 0 || i + n <= padded.length; i++) yield padded.slice(i, i + n).join("");
    }
  }
}

function computeScores(head, x) {
  if (head.kind === "linear") return multiply(x, head.weights, head.intercept);
  if (head.kind === "constant") return [...head.probabilities.values];
  if (head.kind === "prototypes") return scoreShares(head, x);
  const p = head.perceptron;
  const q = sum(x.map(([, value]) => value * value)) - 1;
  const inputs = [...x, [p.hidden_weights.shape[0] - 1, q]];
  const hidden = multiply(inputs, p.hidden_weights, p.hidden_intercept);
  const active = hidden.map((value, n) => [n, Math.max(value, 0)]);
  const far = multiply(active, p.output_weights, p.output_intercept);
  const beyond = p.steepness * (Math.abs(q) - p.bound);
  const near = scoreShares(head.prototypes, x);
  return near.map((score, k) => shrink(score, beyond) + shrink(far[k], -beyond));
}

function scoreShares(head, x) {
  const row = head.unit_rows ? scale(x) : x;
  const shares = softmax(multiply(row, head.centers));
  const values = row.map(([n, value]) => [shares.length + n, head.row_weight * value]);
  return multiply([...shares.entries(), ...values], head.weights, head.intercept);
}

function shrink(score, distance) {
  return Math.sign(score) * Math.max(Math.abs(score) - Math.max(distance, 0), 0);
}

function multiply(pairs, { values, shape: [height, width] }, intercept) {
  const result = Array.from(intercept?.values ?? new Float64Array(width));
  for (const [position, value] of pairs) {
    if (position >= height) throw new Error("the parts of the model do not fit");
    for (let k = 0; k < width; k++) result[k] += value * values[position * width + k];
  }
  return result;
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

function scale(pairs) {
  const length = Math.sqrt(sum(pairs.map(([, value]) => value * value)));
  return length < 10 * 2 ** -52 ? pairs : pairs.map(([n, value]) => [n, value / length]);
}

function softmax(scores) {
  const largest = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const total = sum(exponentials);
  return exponentials.map((value) => value / total);
}

function applyLink({ kind, factor, slope, offset }, scores) {
  if (kind === "identity") return scores;
  if (kind === "softmax") return softmax(scores.map((score) => factor * score));
  const z = scores.map((s, k) => (slope ? slope.values[k] * s + offset.values[k] : -factor * s));
  const q = z.map((value) => 1 / (1 + Math.exp(value)));
  if (q.length === 1) return [1 - q[0], q[0]];
  const total = sum(q);
  return q.map((value) => (total > 0 ? value / total : 1 / q.length));
}

async function main([file, ...others]) {
  const { readFileSync } = await import("node:fs");
  const usage = "usage: node pcc-model.mjs model.safetensors < rows.json";
  if (!file || others.length) throw new Error(usage);
  const model = readModel(readFileSync(file));
  for (const row of model.predictProba(JSON.parse(readFileSync(0, "utf8")))) {
    console.log(JSON.stringify(Object.fromEntries(row.map((p, k) => [model.classes[k], p]))));
  }
}

if (globalThis.process?.argv[1]?.endsWith("pcc-model.mjs")) {
  await main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
