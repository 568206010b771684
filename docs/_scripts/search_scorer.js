// Weights of the search. Those of Sphinx, and pages that few people look for come last: with the
// default weights, decision records and the changelog precede guides with the same words.
var Scorer = {
  score: ([page, , , , score]) => (/^(adr\/|changelog$|architecture$)/.test(page) ? score / 100 : score),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
