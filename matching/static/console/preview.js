"use strict";

// The panel "Try an eligibility rule": posts the rule a moment after it was last edited and draws the answer.
(() => {
  const panel = document.querySelector(".rule-preview");
  if (!panel) return;
  const PAUSE = 300; // milliseconds without a key
  const field = panel.querySelector("textarea");
  const state = panel.querySelector(".rule-preview-state");
  const answer = panel.querySelector(".rule-preview-answer");
  const token = panel.querySelector("[name=csrfmiddlewaretoken]").value;
  let timer = 0;
  let asking = new AbortController();

  const element = (name, text = "", className = "") => {
    const made = document.createElement(name);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  const drawing = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  const write = (rule) => {
    field.value = rule && Object.keys(rule).length ? JSON.stringify(rule, null, 2) : "";
  };

  const figures = (found) => {
    const row = element("div", "", "rule-preview-figures");
    for (const name of ["eligible", "unknown", "ineligible"]) {
      const figure = element("div", name);
      figure.prepend(element("b", found[name].label));
      row.append(figure);
    }
    return row;
  };

  const chart = (found) => {
    const WIDTH = 600;
    const ROW = 38;
    const people = found.eligible.value + found.unknown.value + found.ineligible.value;
    const svg = drawing("svg", { viewBox: `0 0 ${WIDTH} ${found.criteria.length * ROW}`, role: "img" });
    svg.setAttribute("aria-label", "For each criterion: whom it alone keeps out, who fails it, of whom it is not known");
    const scale = (count) => (people ? (count / people) * WIDTH : 0);
    found.criteria.forEach((criterion, at) => {
      const top = at * ROW;
      const told = `fail ${criterion.fail.label} (alone ${criterion.alone.label}), unknown ${criterion.unknown.label}`;
      const words = drawing("text", { x: 0, y: top + 12 });
      words.textContent = criterion.sentence.length > 58 ? `${criterion.sentence.slice(0, 57)}…` : criterion.sentence;
      const numbers = drawing("text", { x: WIDTH, y: top + 12, "text-anchor": "end" });
      numbers.textContent = `−${criterion.fail.label}, gain ${criterion.gain.label}`;
      const title = drawing("title", {});
      title.textContent = `${criterion.path}: ${criterion.sentence}: ${told}`;
      const bar = drawing("g", {});
      bar.append(title, drawing("rect", { x: 0, y: top + 18, width: WIDTH, height: 12, class: "track" }));
      let from = 0;
      const parts = { alone: criterion.alone.value, fail: criterion.fail.value - criterion.alone.value, unknown: criterion.unknown.value };
      for (const [name, count] of Object.entries(parts)) {
        const width = Math.max(0, scale(count));
        bar.append(drawing("rect", { x: from, y: top + 18, width, height: 12, class: name }));
        from += width;
      }
      svg.append(words, numbers, bar);
    });
    const key = element("div", "", "rule-preview-key");
    for (const [name, meaning] of [["alone", "only this criterion keeps them out"], ["fail", "others do too"], ["unknown", "not known"]]) {
      const entry = element("span", meaning);
      entry.prepend(element("i", "", `key-${name}`));
      key.append(entry);
    }
    const box = element("div");
    box.append(element("h3", "What each criterion does"), svg, key);
    return box;
  };

  const relaxations = (found) => {
    const list = element("ul");
    for (const change of found.relaxations) {
      const item = element("li", `${change.before} → ${change.after ?? "dropped"}: +${change.gain.label} people `);
      const button = element("button", "try");
      button.type = "button";
      button.addEventListener("click", () => {
        write(change.rule);
        ask();
      });
      item.append(button);
      list.append(item);
    }
    const box = element("div");
    box.append(element("h3", "What would gain people"), list);
    return box;
  };

  const faults = (refused) => {
    const box = element("div", "", "rule-preview-faults");
    if (!refused.faults.length) box.append(element("p", refused.message));
    for (const fault of refused.faults) {
      const line = element("p", ` ${fault.problem} (${fault.code})`);
      line.prepend(element("code", fault.path));
      box.append(line);
    }
    return box;
  };

  const show = (...parts) => {
    answer.replaceChildren(...parts);
    answer.classList.remove("is-stale");
  };

  const ask = async () => {
    let rule = null;
    try {
      rule = field.value.trim() ? JSON.parse(field.value) : null;
    } catch (error) {
      state.textContent = "";
      show(faults({ faults: [], message: `This is no JSON: ${error.message}` }));
      return;
    }
    asking.abort();
    asking = new AbortController();
    answer.classList.add("is-stale");
    const began = performance.now();
    try {
      const response = await fetch(panel.dataset.address, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": token },
        body: JSON.stringify({ rule }),
        signal: asking.signal,
      });
      if (response.status !== 200 && response.status !== 422) throw new Error(`the server answered ${response.status}`);
      const found = await response.json();
      if (response.status === 422) {
        show(faults(found));
      } else {
        const parts = [element("p", found.sentence), figures(found)];
        if (found.criteria.length) parts.push(chart(found));
        if (found.relaxations.length) parts.push(relaxations(found));
        show(...parts);
      }
      state.textContent = `Counted in ${Math.round(performance.now() - began)} ms.`;
    } catch (error) {
      if (error.name !== "AbortError") state.textContent = `Could not be counted: ${error.message}.`;
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  panel.addEventListener("toggle", () => {
    if (panel.open && !answer.hasChildNodes()) ask();
  });
  write(JSON.parse(document.getElementById("rule-preview-stored").textContent));
})();
