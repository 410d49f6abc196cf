// Every custom element of the pages. Each improves HTML that works without it.
import "./live-status.js";
import "./live-sum.js";
import "./pass-key.js";
import "./stepper-field.js";
import "./theme-switch.js";
import "./yield-verdict.js";
