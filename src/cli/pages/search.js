// Adds a search to the page's head. Words may be spelt a little wrong; nothing is fetched.
(() => {
  const up = document.body.dataset.up;
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "Search the handbook";
  input.setAttribute("aria-label", input.placeholder);
  const results = document.createElement("ul");
  results.id = "results";
  document.querySelector("nav").append(input);
  document.querySelector("nav").after(results);

  const split = (text) => text.toLowerCase().split(/[^\p{L}\p{N}_]+/u).filter(Boolean);
  const entries = PAGES.map((page) => ({
    page,
    fields: [split(page.title), split(page.id), split([...page.names, ...page.terms].join(" ")), split(page.text)],
  }));

  // Whether one change, or a swap of neighbours, makes one word of the other.
  const near = (one, other) => {
    if (Math.abs(one.length - other.length) > 1 || one.length < 4) return false;
    let start = 0;
    while (start < one.length && one[start] === other[start]) start += 1;
    const swapped = one[start] === other[start + 1] && one[start + 1] === other[start];
    if (swapped && one.slice(start + 2) === other.slice(start + 2)) return true;
    const rests = [[1, 1], [1, 0], [0, 1]];
    return rests.some(([left, right]) => one.slice(start + left) === other.slice(start + right));
  };
  const cost = (word, text) => {
    if (text.includes(word)) return 0;
    if (text.some((candidate) => candidate.startsWith(word))) return 1;
    return text.some((candidate) => near(word, candidate)) ? 20 : Infinity;
  };
  const score = (words, fields) =>
    words.reduce((sum, word) => sum + Math.min(...fields.map((text, index) => cost(word, text) + index * 2)), 0);

  input.addEventListener("input", () => {
    const words = split(input.value);
    const hits = words.length === 0 ? [] : entries.map((entry) => [score(words, entry.fields), entry.page]);
    const best = hits.filter(([found]) => found < Infinity).sort((one, other) => one[0] - other[0]).slice(0, 25);
    results.replaceChildren(...best.map(([, page]) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `${up}${page.id}.html`;
      link.textContent = page.title;
      const place = document.createElement("small");
      place.textContent = page.id;
      item.append(link, place);
      return item;
    }));
  });
})();
