// Numbers, shares and times, in the reader's language and time zone.

import { locale, t } from "./i18n.js";

export function number(value) {
  return new Intl.NumberFormat(locale()).format(value);
}

/** 0.1234 → "12,3 %"; whole percents above 10 % where a tenth would pretend to a precision that is not there. */
export function share(value, digits = 0) {
  const format = { style: "percent", maximumFractionDigits: digits, minimumFractionDigits: digits };
  return new Intl.NumberFormat(locale(), format).format(value);
}

export function time(text) {
  return format(text, { hour: "2-digit", minute: "2-digit" });
}

/** With seconds: for comparing clocks. */
export function exact(text) {
  return format(text, { dateStyle: "medium", timeStyle: "medium" });
}

export function day(text) {
  const date = new Date(text);
  const thisYear = date.getFullYear() === new Date().getFullYear();
  return format(text, { day: "numeric", month: "long", weekday: "long", year: thisYear ? undefined : "numeric" });
}

export function date(text) {
  return format(text, { day: "numeric", month: "long" });
}

/** "14:05" today, "12 нояб., 14:05" this year, with the year before that. */
export function moment(text) {
  const date = new Date(text);
  const now = new Date();
  const options = { hour: "2-digit", minute: "2-digit" };
  if (date.toDateString() !== now.toDateString()) {
    options.day = "numeric";
    options.month = "short";
    if (date.getFullYear() !== now.getFullYear()) options.year = "numeric";
  }
  return format(text, options);
}

/** The first moment of the day `days - 1` days ago, and the first of tomorrow, in the reader's time zone. */
export function period(days) {
  const now = new Date();
  const from = new Date(now.getFullYear(), now.getMonth(), now.getDate() - days + 1);
  const until = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1);
  return { from: from.toISOString(), until: until.toISOString() };
}

/** WhatsApp and Instagram carry a mark in Russian texts that leads to the legal footnote. */
export function channel(word) {
  const name = t(`channel.${word}`);
  return needsFootnote(word) ? `${name}*` : name;
}

export function needsFootnote(word) {
  return (word === "instagram" || word === "whatsapp") && t("meta.footnote") !== "";
}

function format(text, options) {
  return new Intl.DateTimeFormat(locale(), options).format(new Date(text));
}
