// Times in the browser's own zone, for a reader whose zone the server does not know: on pages without a sign-in, and for
// an account that has none. The server writes them in UTC. Their form is that of webapp/dashboard/time_format.py.

import { serverNow, setText } from "./clock.js";

// The zone of the account, in which the server has written the times of this page. It is empty if there is none.
const accountZone = () => document.querySelector("[data-time-zone]")?.dataset.timeZone ?? "";

const two = (number) => String(number).padStart(2, "0");
const formatDay = (moment) => `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
const formatMinute = (moment) => `${two(moment.getHours())}:${two(moment.getMinutes())}`;
const formatTime = (moment) => `${formatMinute(moment)}:${two(moment.getSeconds())}`;

function formatOffset(moment) {
  const offset = -moment.getTimezoneOffset();
  const size = Math.round(Math.abs(offset));
  return offset ? `UTC${offset < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}` : "UTC";
}

function formatMoment(moment) {
  const now = new Date(serverNow());
  const day = formatDay(moment) === formatDay(now) ? "" : `${formatDay(moment)} `;
  const offset = formatOffset(moment) === formatOffset(now) ? "" : ` ${formatOffset(moment)}`;
  return `${day}${formatTime(moment)}${offset}`;
}

const FORMS = {
  moment: formatMoment,
  full: (moment) => `${formatDay(moment)} ${formatTime(moment)} ${formatOffset(moment)}`,
  clock: (moment) => `${formatTime(moment)} ${formatOffset(moment)}`,
  minute: (moment) => `${formatMinute(moment)} ${formatOffset(moment)}`,
};

// The name of the browser's zone, or an empty text: some browsers hide it, or know none.
export function findBrowserZone() {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  return name === "Etc/Unknown" ? "" : name;
}

function describeZone() {
  const [name, offset] = [findBrowserZone().replaceAll("_", " "), formatOffset(new Date(serverNow()))];
  return name && name !== "UTC" ? `${name}, ${offset}` : offset;
}

function showLocalTimes() {
  if (accountZone()) return;
  for (const element of document.querySelectorAll("time [data-local]")) {
    const moment = new Date(element.closest("time").dateTime);
    if (!Number.isNaN(moment.getTime())) setText(element, FORMS[element.dataset.local](moment));
  }
  for (const element of document.querySelectorAll("[data-zone]")) setText(element, describeZone());
}

// Returns "09:31" in the zone of this page, or "27 Nov, 09:31" if that was not today.
export function formatClock(milliseconds) {
  const inZone = (options) => {
    try {
      return new Intl.DateTimeFormat("en-GB", { timeZone: accountZone() || undefined, ...options });
    } catch {  // the browser does not know the zone
      return new Intl.DateTimeFormat("en-GB", options);
    }
  };
  const date = inZone({ year: "numeric", month: "short", day: "numeric" });
  const day = date.format(milliseconds) === date.format(serverNow()) ? {} : { day: "numeric", month: "short" };
  return inZone({ ...day, hour: "2-digit", minute: "2-digit" }).format(milliseconds);
}

document.addEventListener("htmx:after:swap", showLocalTimes);
document.addEventListener("visibilitychange", showLocalTimes);
showLocalTimes();
