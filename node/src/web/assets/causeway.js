// What the pages add where scripts run. Every page works without it.
import { startLive } from "./live.js";
import { startDrafts } from "./drafts.js";
import { startPickers } from "./pick.js";
import { startOutbox } from "./outbox.js";

startDrafts();
startPickers();
startLive();
startOutbox();

const summary = document.querySelector(".error-summary");
if (summary) summary.focus();
