/** What a customer hears whose operation is stopped; `texts.json` has the sentences in three languages. */
'use strict';

const { I18nError, LogLevel } = require('@vendure/core');

class Stopped extends I18nError {
  constructor({ decision, id, factor, isFallback }) {
    const kind = isFallback ? 'later' : decision;
    super(`error.shopward-${kind}`, {}, `SHOPWARD_${kind.toUpperCase()}`, LogLevel.Verbose);
    if (decision === 'challenge' && !isFallback) Object.assign(this.extensions, { decision: id, factor });
  }
}

module.exports = { Stopped };
