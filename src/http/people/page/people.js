// The pages of src/http/people/pages.rs. Texts of people are set as text, never as markup.

const byId = (id) => document.getElementById(id);
const page = document.body.dataset.page;
// After `#`: browsers send it to nobody. It is taken out of the address bar, so that nobody copies it by accident.
const secret = location.hash.slice(1);
if (secret) history.replaceState(null, "", location.pathname);

async function ask(method, path, body, token) {
  const headers = { "X-Aisled-Client": "browser" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  const found = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Error(found?.detail ?? `The server answered ${answer.status}.`);
  return found;
}

function say(error) {
  byId("error").textContent = error.message;
  byId("error").hidden = false;
}

/** Sends a form's fields; the button rests meanwhile, so that nothing is sent twice. */
function onSubmit(form, send) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    byId("error").hidden = true;
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await send(Object.fromEntries(new FormData(form)));
    } catch (error) {
      say(error);
    } finally {
      button.disabled = false;
    }
  });
}

function element(tag, text, ...children) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function button(text, act) {
  const made = element("button", text);
  made.className = "small";
  made.addEventListener("click", () => act().catch(say));
  return made;
}

const pages = {
  async "sign-in"() {
    const session = await ask("GET", "/api/v1/session");
    if (session.who) return location.replace("/people");
    byId("hint").hidden = session.set_up;
    showProvider(session);
    onSubmit(byId("form"), async (fields) => {
      await ask("POST", "/api/v1/session", fields);
      location.replace("/people");
    });
  },

  async setup() {
    let signedIn = false;
    if (secret) {
      // On the server's own machine the link signs the owner in; elsewhere the code is typed.
      signedIn = await ask("POST", "/api/v1/session", { key: secret }).then(() => true, () => false);
    }
    const session = await ask("GET", "/api/v1/session");
    signedIn ||= session.admin;
    if (session.set_up) return location.replace(signedIn ? "/people" : "/sign-in");
    byId("key").hidden = signedIn;
    byId("later").hidden = !signedIn;
    if (secret && !signedIn) byId("form").elements.key.value = secret;
    onSubmit(byId("form"), async ({ key, ...fields }) => {
      await ask("POST", "/api/v1/setup", signedIn ? fields : { key, ...fields });
      location.replace("/people");
    });
  },

  async join() {
    const session = await ask("GET", "/api/v1/session");
    const known = Boolean(session.who);
    byId("newcomer").hidden = known;
    byId("newcomer").disabled = known;
    byId("known").hidden = !known;
    byId("known").textContent = `You join as ${session.name ?? session.who}.`;
    byId("key").hidden = Boolean(secret);
    byId("form").elements.invitation.value = secret;
    if (!known) {
      showProvider(session)?.addEventListener("click", () => {
        // The invitation goes into a body: an address is kept in histories and logs.
        const invitation = byId("form").elements.invitation.value;
        ask("POST", "/api/v1/oidc/start", { invitation }).then(({ url }) => location.assign(url), say);
      });
    }
    onSubmit(byId("form"), async (fields) => {
      await ask("POST", "/api/v1/invitations/accept", fields);
      location.replace("/people");
    });
  },

  async view() {
    // A link opens one list; the address that was shared does not name it, the token does. It is kept for this tab, so that it can be loaded again.
    if (secret) sessionStorage.setItem("link", secret);
    const token = sessionStorage.getItem("link");
    if (!token) throw new Error("Open the whole link that you were given.");
    const { entries: lists } = await ask("GET", "/api/v1/lists?archived=true", undefined, token);
    if (lists.length === 0) throw new Error("This link opens no list any more.");
    const list = await ask("GET", `/api/v1/lists/${encodeURIComponent(lists[0].id)}`, undefined, token);
    byId("name").textContent = list.name;
    const total = list.totals?.estimated;
    byId("total").textContent = total ? `About ${total.amount} ${total.currency}` : "";
    for (const item of list.items) {
      const line = element("li", item.name, element("span", `${item.quantity.amount} ${item.quantity.unit}`));
      line.classList.toggle("done", Boolean(item.checked));
      byId("items").append(line);
    }
  },

  async people() {
    const session = await ask("GET", "/api/v1/session");
    if (!session.who) return location.replace("/sign-in");
    byId("name").textContent = session.name ?? session.who;
    byId("out").addEventListener("click", () => ask("DELETE", "/api/v1/session").then(() => location.replace("/sign-in"), say));
    onSubmit(byId("found"), async (fields) => {
      await ask("POST", "/api/v1/households", fields);
      location.reload();
    });
    onSubmit(byId("password"), async (fields) => {
      await ask("POST", "/api/v1/password", fields);
      byId("password").reset();
    });
    showLink(session);
    const { sessions } = await ask("GET", "/api/v1/sessions");
    for (const one of sessions) {
      const seen = new Date(one.last_seen).toLocaleString();
      const end = button(one.current ? "This device" : "Sign out", () => ask("DELETE", `/api/v1/sessions/${one.id}`).then(() => location.reload()));
      end.disabled = one.current;
      byId("devices").append(element("li", `${one.device}, ${seen}`, end));
    }
    const households = await ask("GET", "/api/v1/households?limit=100");
    for (const { id, household } of households.entries) byId("households").append(await home(id, household, session));
  },
};

/** Shows the way in by the provider, if the server has one. */
function showProvider(session) {
  if (!session.oidc) return null;
  byId("provider").hidden = false;
  const way = byId("provider").firstElementChild;
  way.textContent = `Continue with ${session.oidc}`;
  return way;
}

/** Lets a person link the account with the provider, or end that. */
function showLink(session) {
  if (!session.oidc) return;
  byId("provider").hidden = false;
  byId("provider-name").textContent = session.oidc;
  const way = byId("provider").querySelector("button");
  way.textContent = session.oidc_linked ? "Unlink" : "Link";
  way.addEventListener("click", () => {
    const asked = session.oidc_linked
      ? ask("DELETE", "/api/v1/oidc/link").then(() => location.reload())
      : ask("POST", "/api/v1/oidc/link").then(({ url }) => location.assign(url));
    asked.catch(say);
  });
}

async function home(id, household, session) {
  const mine = household.members[session.who];
  const path = `/api/v1/households/${encodeURIComponent(id)}`;
  const section = element("section", "", element("h2", household.name));
  const members = element("ul");
  const { people } = await ask("GET", `${path}/people`);
  for (const { who, name, role } of people) members.append(element("li", name ?? who, element("span", role)));
  section.append(members);
  if (mine !== "owner" && !session.admin) return section;
  const select = element("select");
  for (const role of ["adult", "child", "viewer", "owner", "guest"]) select.append(element("option", role));
  const shown = element("output");
  shown.hidden = true;
  const invite = button("Invite", async () => {
    // A guest is invited to the lists of today; other roles see all of them anyway.
    const shared = select.value === "guest" ? await ask("GET", `/api/v1/lists?household=${encodeURIComponent(id)}&limit=100`) : { entries: [] };
    const { link, code } = await ask("POST", `${path}/invitations`, { role: select.value, lists: shared.entries.map((list) => list.id) });
    shown.textContent = `${link} – or the code ${code} at ${link.split("#")[0]}. It works once, for 7 days.`;
    shown.hidden = false;
  });
  section.append(element("p", "", select, " ", invite), shown);
  return section;
}

pages[page]().catch(say);
