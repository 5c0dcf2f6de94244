// The phone of the demo page. Each turn goes to the server in the words of a conversation script:
// "SIDE EFFECTS", "(call)", "(press 1)", "(wait)", "(answer)". What came back is drawn, and read out loud on request.
"use strict";

const $ = id => document.getElementById(id);
const POLL_MS = 4000;      // how soon a text or call that the line starts is seen
const MOST_EXCHANGES = 40; // shown under the phone

let number = "";
let inCall = false;
let callStarted = 0;
let segments = 0;
let texts = 0;

// --- Talking to the server: one turn after the other ----------------------------------------------------

let last = Promise.resolve();
const inOrder = job => last = last.then(job).catch(fault => note(`The line does not answer: ${fault.message}`));

async function ask(path, data) {
  const post = data && {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(data)};
  const answer = await fetch(path, post || {});
  if (answer.status === 404) throw new Error("this phone was forgotten; take a new one");
  return answer.json();
}

async function take(words) {
  const phone = number;
  const came = await ask("demo/turn", {number, turn: words});
  if (phone !== number) return;  // another phone was taken meanwhile
  $("save").hidden = false;
  show(came, words);
}

const turn = words => inOrder(() => take(words));

function newPhone() {
  hangUp();
  inOrder(async () => {
    ({number} = await ask("demo/phone", {country: $("country").value}));
    segments = texts = 0;
    for (const list of ["thread", "heard", "exchanges"]) $(list).replaceChildren();
    $("number").textContent = number;
    $("save").href = `demo/script?number=${encodeURIComponent(number)}`;
    $("save").hidden = true;
    $("ring").hidden = true;
    $("total").textContent = "Nothing sent yet.";
    remark("thread", "A new phone, which the line has never met");
    note("");
  });
}

// --- Drawing what came ----------------------------------------------------------------------------------

const names = new Intl.DisplayNames(["en"], {type: "language"});
function languageName(tag) {
  const [language, script] = tag.split("-");
  return names.of(script?.length === 4 ? `${language}-${script}` : language);  // a voice's region says nothing here
}

function make(tag, words = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = words;
  for (const [name, value] of Object.entries(attributes)) if (value) element.setAttribute(name, value);
  return element;
}

// The newest question stays in sight with the beginning of its answer.
function add(list, element) {
  $(list).append(element);
  $(list).scrollTop = [...$(list).querySelectorAll(".mine")].at(-1)?.offsetTop ?? 0;
}

const remark = (list, words) => add(list, make("p", words, {class: "event"}));

function bubble(list, who, words, {language, about, kind = ""} = {}) {
  const box = make("div", "", {class: `bubble ${kind}`});
  box.append(make("span", `${who}: `, {class: "unseen"}), make("p", words, {dir: "auto", lang: language}));
  if (about) box.append(make("small", about));
  add(list, box);
}

function note(words) { $("note").textContent = words; }

function show(came, words) {
  if (came.error) return bubble(inCall ? "heard" : "thread", "Fault", came.error, {kind: "fault"});
  came.texts.forEach(showText);
  if (!words.startsWith("(") && !came.texts.length) remark("thread", "No answer: the carrier answers this word itself");
  showHeard(came.heard);
  came.events.forEach(line => remark("heard", line.slice(1, -1)));
  came.wire.forEach(showExchange);
  if (came.rings) ring();
  setCall(came.in_call && (inCall || /^\((call|answer)/.test(words)));
}

function showText({body, language, encoding, segments: count}) {
  texts += 1;
  segments += count;
  const cost = count === 1 ? "1 segment" : `${count} segments, billed as ${count} texts`;
  const about = [language && languageName(language), encoding, cost].filter(Boolean).join(" · ");
  bubble("thread", "Line", body, {language, about});
  $("total").textContent = `The line sent ${texts} ${texts === 1 ? "text" : "texts"}: ${segments} segments to pay for.`;
}

function showHeard(heard) {
  if (heard.length) lastHeard = heard;
  let tongue = "";
  for (const {words, language, audio} of heard) {
    if (language && language !== tongue) add("heard", make("p", languageName(language), {class: "tongue"}));
    tongue = language || tongue;
    bubble("heard", "Line", words || "♪ a recording", {language, about: audio && new URL(audio).pathname});
  }
  if (heard.length) speak(heard);
}

function showExchange({method, url, ms, status, body}) {
  const item = make("li"), fold = make("details");
  fold.append(
    make("summary", `${method} ${decodeURI(new URL(url).pathname)} · ${status} · ${ms} ms`),
    make("pre", body.replaceAll("><", ">\n<"), {dir: "ltr", tabindex: "0"}),
  );
  item.append(fold);
  $("exchanges").prepend(item);
  while ($("exchanges").children.length > MOST_EXCHANGES) $("exchanges").lastChild.remove();
}

// --- Texts ----------------------------------------------------------------------------------------------

function text(words) {
  choose("texts");
  bubble("thread", "You", words.trim() ? words : "(empty)", {kind: "mine"});
  const directed = words.startsWith("(") && !["(picture)", "(empty)"].includes(words);
  turn(directed ? ` ${words}` : words.trim() ? words : "(empty)");  // brackets are directions only where they begin a turn
}

$("send").onsubmit = event => {
  event.preventDefault();
  text($("words").value);
  $("words").value = "";
};
for (const button of document.querySelectorAll("[data-text]")) button.onclick = () => text(button.dataset.text);

// --- Calls ----------------------------------------------------------------------------------------------

function setCall(on) {
  if (on !== inCall && !on) remark("heard", "The call has ended");
  if (on && !inCall) callStarted = Date.now();
  inCall = on;
  for (const key of [...document.querySelectorAll("[data-key]"), $("wait")]) key.disabled = !on;
  $("dial").textContent = on ? "Hang up" : "Call";
  $("dial").className = on ? "stop" : "go";
  $("state").textContent = on ? "In a call" : "Not in a call";
  clock();
}

function clock() {
  const seconds = Math.floor((Date.now() - callStarted) / 1000);
  $("clock").textContent = inCall ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : "";
}

function begin(words) {
  choose("call");
  $("ring").hidden = true;
  $("heard").replaceChildren();
  $("state").textContent = "Calling…";
  turn(words);
}

function hangUp() {
  hush();
  if (inCall) setCall(false);
}

const press = key => inOrder(async () => {
  if (!inCall) return;
  hush();
  bubble("heard", "You", key || "(silence)", {kind: "mine"});
  await take(key ? `(press ${key})` : "(wait)");
});

$("dial").onclick = () => inCall ? hangUp() : begin("(call)");
$("wait").onclick = () => press("");
for (const key of document.querySelectorAll("[data-key]")) key.onclick = () => press(key.dataset.key);
document.addEventListener("keydown", event => {
  const typing = event.target.matches("input, select") || event.ctrlKey || event.altKey || event.metaKey;
  if (!inCall || typing || !/^[0-9*#]$/.test(event.key)) return;
  event.preventDefault();
  press(event.key);
});

// --- What the line starts itself ------------------------------------------------------------------------

function ring() {
  $("ring").hidden = false;
  if (sound) tone();
}

async function poll() {
  if (document.hidden || !number) return;
  const came = await ask(`demo/inbox?number=${encodeURIComponent(number)}`);
  if (!came.texts) return;
  show(came, "(receive)");
  $("thread").scrollTop = $("thread").scrollHeight;
}

$("answer").onclick = () => { hangUp(); begin("(answer)"); };
$("decline").onclick = () => { $("ring").hidden = true; };
setInterval(() => inOrder(poll), POLL_MS);
setInterval(clock, 1000);

// --- Out loud: recordings as they are, other prompts by the browser's own voices ------------------------

let sound = false;
let lastHeard = [];
let telling = 0;  // which prompts are being told; a key pressed makes them old
const player = new Audio();
const unvoiced = new Set();  // languages, by name

function hush() {
  telling += 1;
  player.pause();
  globalThis.speechSynthesis?.cancel();
}

async function speak(heard) {
  hush();
  const mine = telling;
  for (const prompt of heard) {
    if (!sound || mine !== telling) return;
    await (prompt.audio ? play(prompt.audio) : utter(prompt));
  }
}

const play = audio => new Promise(done => {
  player.onended = player.onpause = player.onerror = done;
  player.src = audio;
  player.play().catch(done);
});

const utter = ({words, language}) => new Promise(done => {
  const voice = voiceFor(language);
  if (!voice) {
    unvoiced.add(languageName(language));
    note(`This browser has no voice for ${[...unvoiced].join(", ")}: read it instead.`);
    return done();
  }
  const speech = new SpeechSynthesisUtterance(words);
  Object.assign(speech, {voice, lang: voice.lang, rate: 0.95, onend: done, onerror: done});
  speechSynthesis.speak(speech);
  return undefined;
});

function voiceFor(language) {
  const wanted = language.toLowerCase().replace(/^cmn/, "zh");
  const voices = globalThis.speechSynthesis?.getVoices() || [];
  const tag = voice => voice.lang.toLowerCase().replace("_", "-");
  return voices.find(voice => tag(voice) === wanted) || voices.find(voice => tag(voice).startsWith(wanted.split("-")[0]));
}

function tone() {
  const context = new AudioContext();
  const [swing, gain] = [context.createOscillator(), context.createGain()];
  swing.frequency.value = 440;
  gain.gain.value = 0.05;
  swing.connect(gain).connect(context.destination);
  swing.start();
  swing.stop(context.currentTime + 1);
  swing.onended = () => context.close();
}

$("sound").onclick = () => {
  sound = !sound;
  $("sound").setAttribute("aria-checked", String(sound));
  if (sound && inCall) speak(lastHeard); else hush();
};

// --- Tabs, and the start --------------------------------------------------------------------------------

function choose(name) {
  for (const panel of ["texts", "call"]) {
    $(panel).hidden = panel !== name;
    $(`tab-${panel}`).setAttribute("aria-selected", String(panel === name));
    $(`tab-${panel}`).tabIndex = panel === name ? 0 : -1;
  }
  document.querySelector("main").scrollIntoView({block: "nearest"});  // on a small screen it is a page of its own
}

for (const [name, other] of [["texts", "call"], ["call", "texts"]]) {
  $(`tab-${name}`).onclick = () => choose(name);
  $(`tab-${name}`).onkeydown = event => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    choose(other);
    $(`tab-${other}`).focus();
  };
}

$("country").onchange = newPhone;
$("fresh").onclick = newPhone;
const home = document.body.dataset.country || new Intl.Locale(navigator.language).maximize().region;
if ([...$("country").options].some(option => option.value === home)) $("country").value = home;
newPhone();
