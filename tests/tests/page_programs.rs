//! The page on the admin port as Chromium shows it: light, dark, narrow, by keyboard, with a token, with bytes of strangers and with large
//! tables. `make clients` installs what that needs. With `CALLGATE_TEST_PICTURES` a folder gets pictures of what was seen.

use callgate_tests::faults::{Fault, Faults};
use callgate_tests::{Browser, Gateway, Setup};
use std::path::Path;

/// A browser that looks at the page of a gateway.
async fn browse(setup: &Setup, gateway: &Gateway, (width, height, colours): (u32, u32, &str)) -> Browser {
    let mut browser = Browser::start(&setup.file("home")).await;
    browser.look(width, height, colours).await;
    browser.open(&format!("http://{}/", gateway.admin_addr)).await;
    browser.until("document.querySelector('.verdict h1') || document.querySelector('.token')").await;
    browser
}

/// Keeps a picture, in base64, if somebody wants some.
async fn picture(browser: &mut Browser, name: &str) {
    if let Some(folder) = std::env::var_os("CALLGATE_TEST_PICTURES") {
        let picture = browser.picture(true).await;
        std::fs::write(Path::new(&folder).join(format!("{name}.png.base64")), picture)
            .expect("it can be kept");
    }
}

/// Goes to a part of the page, and waits until its table has a row that says something.
async fn go(browser: &mut Browser, part: &str, row: &str) {
    browser.value(&format!("location.hash = '#/{part}'")).await;
    browser.until(&format!("document.querySelector('main').innerText.includes({row:?})")).await;
}

/// Nothing was complained of, and nobody else was asked.
fn is_quiet(browser: &Browser, gateway: &Gateway) {
    assert!(browser.complaints().is_empty(), "{:#?}", browser.complaints());
    let own = format!("http://{}/", gateway.admin_addr);
    let requests = browser.requests();
    assert!(requests.len() > 10 && requests.iter().all(|url| url.starts_with(&own)), "{requests:?}");
}

/// The least contrast of a text with its ground, on the whole page (WCAG 2, 1.4.3), and what has it.
const CONTRAST: &str = r#"(() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => { const [R, G, B] = [r, g, b].map((c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * R + 0.7152 * G + 0.0722 * B; };
  const ground = (element) => { for (let at = element; at; at = at.parentElement) { const c = rgba(getComputedStyle(at).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255, 255]; };
  let least = [21, ""];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !element.checkVisibility({ visibilityProperty: true }) || element.closest("svg, :disabled, .arrow, script, noscript, option")) continue;
    const [one, other] = [light(rgba(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < least[0]) least = [ratio, element.className + ": " + walk.currentNode.data];
  }
  return least;
})()"#;

/// Nothing is wider than the window, and every text can be read.
async fn is_readable(browser: &mut Browser, part: &str) {
    let wide = browser.value("document.documentElement.scrollWidth > innerWidth").await;
    assert_eq!(wide, false, "{part} is wider than the window");
    let least = browser.value(CONTRAST).await;
    assert!(least[0].as_f64() >= Some(4.5), "{part}: {least}");
}

/// Each control has a name, and each table a caption.
const NAMELESS: &str = r#"[...document.querySelectorAll("button, a, select, input, table")].filter((one) => one.checkVisibility({ visibilityProperty: true })).filter((one) =>
  !(one.innerText?.trim() || one.getAttribute("aria-label") || one.labels?.length) || (one.tagName === "TABLE" && !one.caption)).map((one) => one.outerHTML.slice(0, 200))"#;

const PARTS: [(&str, &str); 8] = [
    ("overview", "Why requests fail"),
    ("failures", "Failures"),
    ("routes", "GET /v1/calc/add"),
    ("backends", "shop"),
    ("instances", "127.0.0.1"),
    ("certificates", "No certificate is in force"),
    ("reloads", "by start"),
    ("reasons", "no_route"),
];

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs where Debian has it"]
async fn chromium_shows_every_part_in_light_and_dark_wide_and_narrow() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let gone = "[backends.gone]\nendpoints = [\"127.0.0.1:9\"]\n[[routes]]\nmatch = \"GET /gone\"\ncall = \"a.b\"\nbackend = \"gone\"\n";
    setup.write_routes("gone.toml", gone);
    gateway.takes_its_tables().await;
    for path in ["/v1/calc/add?a=1&b=2", "/v1/calc/add?a=one&b=2", "/gone", "/nowhere"] {
        gateway.client.get(path).await;
    }
    for look in [(1280, 900, "light"), (1280, 900, "dark"), (375, 812, "light"), (375, 812, "dark")] {
        let mut browser = browse(&setup, &gateway, look).await;
        let dark = browser.value("getComputedStyle(document.body).backgroundColor").await;
        assert_eq!(dark == "rgb(15, 19, 24)", look.2 == "dark", "{dark}");
        for (part, row) in PARTS {
            go(&mut browser, part, row).await;
            is_readable(&mut browser, &format!("{part} {look:?}")).await;
            let nameless = browser.value(NAMELESS).await;
            assert_eq!(nameless, serde_json::json!([]), "{part}");
            picture(&mut browser, &format!("{part}-{}-{}", look.0, look.2)).await;
        }
        go(&mut browser, "overview", "Backend gone has no instance that takes calls").await;
        is_quiet(&browser, &gateway);
    }
}

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs where Debian has it"]
async fn chromium_is_led_by_keys_alone_and_the_page_lives() {
    let setup = Setup::new();
    let (mut backend, gateway) = setup.shop().await;
    let mut browser = browse(&setup, &gateway, (1280, 900, "light")).await;
    let focus = "document.activeElement.innerText || document.activeElement.id";
    browser.press("Tab").await;
    assert_eq!(browser.value(focus).await, "Skip to what is shown");
    browser.press("Enter").await;
    assert_eq!(browser.value("document.activeElement.id").await, "main");
    // To the routes: from the head of the page to their link.
    browser.value("document.querySelector('.brand').focus()").await;
    while browser.value(focus).await != "Routes" {
        browser.press("Tab").await;
        let ring = browser.value("getComputedStyle(document.activeElement).outlineStyle").await;
        assert_ne!(ring, "none", "the focus is seen");
    }
    browser.press("Enter").await;
    browser.until("document.querySelectorAll('tbody tr').length > 3").await;
    browser.press("/").await;
    browser.until("document.activeElement.type === 'search'").await;
    browser.write("calc divide").await;
    browser.until("document.querySelectorAll('tbody tr').length === 1").await;
    assert_eq!(browser.value("location.hash").await, "#/routes?q=calc+divide");
    while browser.value("document.activeElement.getAttribute('aria-expanded')").await != "false" {
        browser.press("Tab").await;
    }
    browser.press("Enter").await;
    browser.until("document.querySelector('tr.detail')?.innerText.includes('defined')").await;
    // It shows what happens without being loaded again.
    browser.value("window.same = true; location.hash = '#/overview'").await;
    browser.until("document.querySelector('.verdict').innerText.includes('All is well')").await;
    backend.stop().await;
    browser
        .until("document.querySelector('.verdict').innerText.includes('Backend shop has no instance that takes calls')")
        .await;
    backend.start();
    browser.until("document.querySelector('.verdict').innerText.includes('All is well')").await;
    assert_eq!(browser.value("window.same").await, true);
    is_quiet(&browser, &gateway);
}

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs where Debian has it"]
async fn chromium_asks_for_the_token_and_keeps_it_for_the_tab() {
    let setup = Setup::new().admin("token = \"s3cret-of-the-port\"\nread_token = \"for-reading\"");
    setup.write_routes("a.toml", "[[routes]]\nmatch = \"GET /a\"\nrespond = {}\n");
    let gateway = setup.gateway().await;
    let mut browser = browse(&setup, &gateway, (1280, 900, "light")).await;
    for (token, then) in [
        ("wrong", "document.querySelector('[role=alert]')"),
        ("for-reading", "document.querySelector('.verdict h1')"),
    ] {
        browser.until("document.activeElement.id === 'token'").await;
        browser.write(token).await;
        browser.press("Enter").await;
        browser.until(then).await;
    }
    browser.call("Page.reload", serde_json::json!({})).await;
    browser.until("document.querySelector('.verdict h1')").await;
    assert_eq!(browser.value("JSON.stringify(localStorage)").await, "{}");
    browser.value("document.getElementById('forget').click()").await;
    browser.until("document.querySelector('.token')").await;
    assert_eq!(browser.value("sessionStorage.length").await, 0);
}

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs where Debian has it"]
async fn chromium_shows_what_strangers_send_as_text_only() {
    const BAD: &str = "<img src=x onerror=window.had=1><script>window.had=1</script>";
    let setup = Setup::new().section("[access_log]\nheaders = [\"user-agent\"]\nfields = [\"path\"]");
    setup.write_routes("own.toml", "[[routes]]\nmatch = \"GET /own\"\nrespond = { status = 503 }\n");
    let (_backend, gateway) = setup.shop().await;
    let encoded: String = BAD.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let agent = [("user-agent", BAD), ("x-request-id", "<b>id</b>")];
    gateway.client.send("GET", &format!("/{encoded}"), &agent, "").await;
    let body = format!("{{\"a\": 1, \"b\": 2, {BAD:?}: 3}}");
    gateway
        .client
        .send("POST", "/v1/calc/divide", &[("content-type", "application/json"), agent[0]], body)
        .await;
    let mut browser = browse(&setup, &gateway, (1280, 900, "light")).await;
    go(&mut browser, "failures", "unknown_field").await;
    browser.value("document.querySelectorAll('td.more button').forEach((one) => one.click())").await;
    browser.until("document.querySelectorAll('tr.detail dl').length >= 2").await;
    let shown = browser.value("document.querySelector('main').innerText").await;
    assert!(shown.as_str().is_some_and(|text| text.contains("onerror=window.had=1")), "{shown}");
    // People paste what they read into a shell.
    assert!(shown.as_str().is_some_and(|text| text.contains("callgate why '<b>id</b>'")), "{shown}");
    let made = browser
        .value("[window.had, document.querySelectorAll('main img, main script, main b').length]")
        .await;
    assert_eq!(made, serde_json::json!([null, 0]));
    // An answer that is a route's own is no failure that is counted; it is kept, and so it is shown when it comes.
    gateway.client.get("/own").await;
    browser.until("document.querySelector('main').innerText.includes('GET /own')").await;
    // The same by the page's own filter, and by the address.
    browser.value(&format!("location.hash = '#/routes?q=' + encodeURIComponent({BAD:?})")).await;
    browser.until("document.querySelector('input[type=search]')?.value.includes('onerror')").await;
    assert_eq!(browser.value("window.had ?? 0").await, 0);
    is_quiet(&browser, &gateway);
}

/// What a row of the last failures says, on the part that is seen first: by the same words as the failure's reason, route and why.
fn row_of(fault: Fault<'_>) -> String {
    let words = serde_json::json!([fault.route, fault.why.unwrap_or_default()]);
    format!(
        r#"[...document.querySelectorAll("[aria-label='Last failures'] tbody tr")].some((row) =>
          row.querySelector("[data-label=Reason] a").innerText === {:?} && row.querySelector("[data-label=Reason] a").title &&
          {words}.every((word) => row.innerText.includes(word)))"#,
        fault.reason
    )
}

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs where Debian has it"]
async fn chromium_shows_each_of_twelve_faults_at_the_first_look_by_the_name_of_its_reason() {
    let faults = Faults::start().await;
    let mut browser = browse(faults.setup(), &faults.gateway, (1280, 900, "light")).await;
    let mut found = Vec::new();
    faults
        .each(async |fault, _| {
            browser.until(&row_of(fault)).await;
            let counted = format!(
                "document.querySelector('[aria-labelledby=why]').innerText.includes({:?})",
                fault.reason
            );
            browser.until(&counted).await;
            found.push(fault.name);
        })
        .await;
    assert_eq!(found.len(), 12, "{found:?}");
    // What lasts is told as well: what it is, and why.
    let told = browser.value("document.querySelector('.verdict').innerText").await;
    let told = told.as_str().unwrap_or_default();
    for problem in [
        "Backend down has no instance",
        "Connection refused",
        "Backend sealed has no instance",
        "certificate",
        "tables",
    ] {
        assert!(told.contains(problem), "{problem}: {told}");
    }
    picture(&mut browser, "twelve-faults").await;
    is_quiet(&browser, &faults.gateway);
}

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs where Debian has it"]
async fn chromium_stays_usable_with_ten_thousand_routes_and_a_thousand_instances() {
    let setup = Setup::new();
    let endpoints: Vec<String> = (0..1000).map(|n| format!("127.1.{}.{}:9", n / 250, n % 250 + 1)).collect();
    let route = |n: usize| {
        format!(
            "[[routes]]\nmatch = \"GET /v1/things/{n}/{{id}}\"\ncall = \"things.get\"\nbackend = \"many\"\n"
        )
    };
    let routes: String = (0..10_000).map(route).collect();
    setup.write_routes("large.toml", &format!("[backends.many]\nendpoints = {endpoints:?}\n{routes}"));
    let gateway = setup.gateway().await;
    let mut browser = browse(&setup, &gateway, (1280, 900, "light")).await;
    for (part, row) in [
        ("overview", "Backend many has no instance that takes calls"),
        ("routes", "10,000 routes"),
        ("instances", "1,000 instances"),
        ("backends", "many"),
    ] {
        go(&mut browser, part, row).await;
        let elements = browser.value("document.querySelectorAll('*').length").await;
        assert!(elements.as_u64() < Some(3000), "{part} has {elements} elements");
        picture(&mut browser, &format!("large-{part}")).await;
    }
    go(&mut browser, "routes?q=things/7777", "GET /v1/things/7777/{id}").await;
    go(&mut browser, "routes?sort=-match&offset=9950", "9,951–10,000 of 10,000 routes").await;
    go(&mut browser, "instances?q=127.1.3.250", "1 of 1,000 instances").await;
    is_quiet(&browser, &gateway);
}
