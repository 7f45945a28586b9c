// Numbers, sizes and times as people read them.

const WHOLE = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

const ROUGH = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });

export const count = (number) => WHOLE.format(number);
export const short = (number) => (number < 10_000_000 ? count(number) : SHORT.format(number));
export const axis = (number) => SHORT.format(number);
export const speed = (number) => `${count(Number(number.toPrecision(3)))} records/s`;
export const day = (text) => DAY.format(new Date(`${text}T00:00:00Z`));
export const moment = (text) => MOMENT.format(new Date(text));

export const rough = (number) => ROUGH.format(number);
export const dollars = (number) => (number < 0.0001 ? "under $0.0001" : `$${ROUGH.format(number)}`);

// 1 record, 2 records
export function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

export function bytes(number) {
  let unit = 0;
  while (number >= 1000 && unit < UNITS.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return `${unit && number < 10 ? number.toFixed(1) : Math.round(number)} ${UNITS[unit]}`;
}

// Seconds as "4 s", "2 min", "1 h 20 min".
export function duration(seconds) {
  if (seconds < 1) return "under 1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function ago(text, now) {
  const seconds = (new Date(text) - now) / 1000;
  const past = Math.abs(seconds);
  if (past < 45) return "just now";
  if (past < 3600) return AGO.format(Math.round(seconds / 60), "minute");
  if (past < 86_400) return AGO.format(Math.round(seconds / 3600), "hour");
  if (past < 86_400 * 14) return AGO.format(Math.round(seconds / 86_400), "day");
  return MOMENT.format(new Date(text));
}

// The last part of an object's key, which is what people call the file.
export const fileName = (key) => key.slice(key.lastIndexOf("/") + 1) || key;

export function percent(part, whole) {
  if (!whole) return "0%";
  const share = (100 * part) / whole;
  if (share > 0 && share < 0.1) return "under 0.1%";
  const rounded = share < 10 ? Math.floor(10 * share) / 10 : Math.floor(share); // 100% is all
  return `${rounded}%`;
}
