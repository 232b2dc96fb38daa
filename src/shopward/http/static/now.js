// The page "Now": asks /now.json once a second and draws it. Texts come from the server in the reader's language;
// everything is set as text, never as markup.
"use strict";

const byId = (id) => document.getElementById(id);
const KINDS = ["allow", "review", "challenge", "deny"];
const language = document.documentElement.lang;
const numbers = new Intl.NumberFormat(language);
const rates = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function showState(name) {
  const state = byId("state");
  state.className = "state " + name;
  const key = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
  state.querySelector("span").textContent = state.dataset[key];
}

function latestRow(row, words) {
  const item = element("li", row.decision);
  const what = element("span", "what", row.what + " · ");
  const link = element("a", "", row.event_id);
  link.href = "/users?id=" + encodeURIComponent(row.event_id);
  what.append(link, " · " + words.score + " " + rates.format(row.score));
  item.append(
    element("span", "tag", words[row.decision]),
    what,
    element("time", "when", clock.format(new Date(row.at))),
    element("span", "why", row.reasons.map((reason) => reason.text).join(" ")),
  );
  return item;
}

function reasonRow(reason) {
  const item = element("li");
  item.append(element("span", "", reason.text), element("b", "", numbers.format(reason.count)));
  return item;
}

function campaignRow(campaign, words) {
  const item = element("li");
  const link = element("a", "", campaign.title);
  link.href = "/campaigns/" + encodeURIComponent(campaign.id);
  item.append(link, element("b", "", numbers.format(campaign.accounts) + " " + words.accounts));
  return item;
}

function showFound(found) {
  byId("findings").textContent = numbers.format(found.findings_open);
  for (const [name, figure, count] of [
    ["behind", "lag", found.lag_events], ["shed", "shed-count", found.shed], ["webhooks-off", "webhooks-off-count", found.off],
  ]) {
    byId(name).hidden = count === 0;
    byId(figure).textContent = numbers.format(count);
  }
}

function showWaits(waits) {
  const severities = Object.values(waits.incidents).reduce((sum, count) => sum + count, 0);
  const rows = { ...waits, incidents: { open: severities, overdue: waits.proposed } };
  for (const name of ["incidents", "duties", "followups", "claims", "complaints", "cases"]) {
    byId("open-" + name).textContent = numbers.format(rows[name].open);
    byId("late-" + name).hidden = rows[name].overdue === 0;
    byId("late-" + name).querySelector("span").textContent = numbers.format(rows[name].overdue);
  }
}

function draw(seconds) {
  const canvas = byId("chart");
  const scale = window.devicePixelRatio || 1;
  const width = (canvas.width = canvas.clientWidth * scale);
  const height = (canvas.height = canvas.clientHeight * scale);
  const brush = canvas.getContext("2d");
  const tones = getComputedStyle(document.documentElement);
  const most = Math.max(1, ...seconds.map((counts) => counts.reduce((sum, count) => sum + count, 0)));
  const step = width / seconds.length;
  brush.fillStyle = tones.getPropertyValue("--line");
  brush.fillRect(0, height - scale, width, scale);
  seconds.forEach((counts, index) => {
    let base = height - scale;
    counts.forEach((count, kind) => {
      if (!count) return;
      const tall = Math.max(scale, (count / most) * (height - 4 * scale));
      brush.fillStyle = tones.getPropertyValue("--" + KINDS[kind]);
      brush.fillRect(index * step, base - tall, Math.max(1, step - scale), tall);
      base -= tall;
    });
  });
}

function show(now) {
  showState(now.ready ? "live" : "catching-up");
  byId("rate").textContent = rates.format(now.rate_per_s);
  for (const kind of KINDS) byId("n-" + kind).textContent = numbers.format(now.decisions[kind]);
  byId("seq").textContent = numbers.format(now.seq);
  byId("since").textContent = moment.format(new Date(now.since));
  byId("nothing").hidden = now.latest.length > 0;
  byId("latest").replaceChildren(...now.latest.map((row) => latestRow(row, byId("latest").dataset)));
  byId("reviews").replaceChildren(...now.reviews.map((row) => latestRow(row, byId("latest").dataset)));
  byId("to-review").hidden = now.reviews.length === 0;
  byId("reasons").replaceChildren(...now.reasons.map(reasonRow));
  byId("calm").hidden = now.campaigns.length > 0;
  byId("campaigns").replaceChildren(...now.campaigns.map((each) => campaignRow(each, byId("campaigns").dataset)));
  showFound(now.found);
  showWaits(now.waits);
  draw(now.seconds);
}

async function refresh() {
  if (!document.hidden) {
    try {
      const response = await fetch("/now.json", { cache: "no-store", credentials: "same-origin" });
      if (response.status === 401) return location.assign("/login");
      if (!response.ok) throw new Error(response.statusText);
      show(await response.json());
    } catch {
      showState("lost");
    }
  }
  setTimeout(refresh, 1000);
}

refresh();
