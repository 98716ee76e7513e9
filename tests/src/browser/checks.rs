//! What must hold on every page.

use serde_json::{Value, json};

use super::Browser;

/// Heavier pages take too long on a school's line; images are not counted.
const WEIGHT_MAX: u64 = 150 * 1024;

/// An id written as hexadecimal digits is at least as long as this.
const HEX_DIGITS: usize = 16;

/// An id written in base 32 is at least as long as this.
const LETTERS_AND_DIGITS: usize = 20;

/// Deque's accessibility checks, for tests alone.
const AXE: &str = include_str!("../../vendor/axe.min.js");

/// Rules of WCAG 2.2 AA, and what axe calls good practice.
const RUN_AXE: &str = "const done = arguments[arguments.length - 1];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    axe.run(document, { runOnly: tags }).then((found) => done(found.violations.map((it) => ({
        id: it.id, impact: it.impact, help: it.help,
        where: it.nodes.slice(0, 3).map((node) => node.target.join(' ') + ': ' + node.html.slice(0, 160)),
    }))), (error) => done([{ id: 'axe', impact: 'critical', help: String(error), where: [] }]));";

impl Browser {
    /// Everything that is wrong with the page as such: its one heading, its title, ids in its
    /// text, what the console said, what does not fit a telephone, its weight, and what is serious
    /// for people with disabilities, in light and in dark mode. Empty if all is well.
    ///
    /// # Panics
    /// As every method does, when the page cannot be asked.
    pub async fn faults(&self) -> Vec<String> {
        let path = self.path().await;
        let mut faults = self.complaints().await;
        let headings = self.texts("h1").await;
        if headings.len() != 1 {
            faults.push(format!("{} headings of the first rank", headings.len()));
        }
        let title = self.title().await;
        if !headings.iter().all(|heading| says(heading, &title)) {
            faults.push(format!(
                "the title {title:?} is not the heading {headings:?}"
            ));
        }
        for id in self.ids_in_text().await {
            faults.push(format!("an id in the text: {id}"));
        }
        let weight = self.weight().await;
        if weight > WEIGHT_MAX {
            faults.push(format!("{weight} bytes, of {WEIGHT_MAX}"));
        }
        self.narrow().await;
        if let Some(overflow) = self.overflow().await {
            faults.push(format!("wider than a telephone: {overflow}"));
        }
        let narrow = self.axe().await;
        self.wide().await;
        if let Some(overflow) = self.overflow().await {
            faults.push(format!("wider than a desk's screen: {overflow}"));
        }
        let light = self.axe().await;
        self.dark(true).await;
        let dark = self.axe().await;
        self.dark(false).await;
        for (way, found) in [("light", light), ("narrow", narrow), ("dark", dark)] {
            faults.extend(found.into_iter().map(|it| format!("{way}: {it}")));
        }
        faults.extend(self.complaints().await);
        faults
            .into_iter()
            .map(|it| format!("{path}: {it}"))
            .collect()
    }

    /// Fails if something is wrong with the page as such; see [`Self::faults`].
    ///
    /// # Panics
    /// With the list of what is wrong.
    pub async fn check_page(&self) {
        let faults = self.faults().await;
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    }

    /// What axe calls serious or critical on the page, as it is shown now.
    ///
    /// # Panics
    /// As every method does, when the page cannot be asked.
    pub async fn axe(&self) -> Vec<String> {
        let script = format!("{AXE}\n{RUN_AXE}");
        let found = self
            .driver
            .client()
            .execute_async(&script, Vec::new())
            .await;
        let found = self.told(found, "axe");
        let found = found.as_array().into_iter().flatten();
        let serious = found.filter(|it| it["impact"] == "serious" || it["impact"] == "critical");
        let serious = serious.map(|it| {
            let places = it["where"].as_array().into_iter().flatten();
            let places = places.filter_map(Value::as_str).collect::<Vec<_>>();
            let help = it["help"].as_str().unwrap_or_default();
            format!("{} ({}): {}", it["id"], help, places.join(" | "))
        });
        serious.collect()
    }

    /// What the console said since it was last asked, at the level of a warning or above: faults
    /// of scripts, requests that failed while there was a network, what the content security policy
    /// held back.
    ///
    /// # Panics
    /// As every method does, when the browser cannot be asked.
    pub async fn complaints(&self) -> Vec<String> {
        let was_offline = self.was_offline.replace(self.line.is_cut());
        let lines = self.driver.log("browser").await;
        let bad = lines
            .iter()
            .filter(|line| line["level"] == "SEVERE" || line["level"] == "WARNING");
        let said = bad.map(|line| line["message"].as_str().unwrap_or_default());
        // Without a network, requests fail.
        let said = said.filter(|said| !was_offline || !said.contains("net::ERR_"));
        said.map(|said| format!("console: {said}")).collect()
    }

    /// Words of the text that look like an id: in hexadecimal digits, with dashes or without, or in
    /// base 32.
    ///
    /// # Panics
    /// As every method does, when the page cannot be asked.
    pub async fn ids_in_text(&self) -> Vec<String> {
        ids(&self.text().await)
    }

    /// How many bytes the page weighs, with its styles and scripts and without its images.
    ///
    /// # Panics
    /// As every method does, when the page cannot be asked.
    pub async fn weight(&self) -> u64 {
        let weight = self.ask("weight()", Vec::new()).await;
        weight.as_u64().unwrap_or_default()
    }

    /// What makes the page wider than the window, if anything does.
    ///
    /// # Panics
    /// As every method does, when the page cannot be asked.
    pub async fn overflow(&self) -> Option<String> {
        let wide = self.ask("wide()", vec![json!(null)]).await;
        wide.as_str().map(str::to_owned)
    }
}

/// Whether all words of a page's title, which names the site too, stand in its heading, or the
/// other way round.
fn says(heading: &str, title: &str) -> bool {
    let title = title.strip_suffix(" - Causeway").unwrap_or(title);
    let title = title
        .rsplit_once(" - ")
        .map_or(title, |(title, _site)| title);
    let within = |words: &str, text: &str| {
        let mut words = words.split(|letter: char| !letter.is_alphanumeric());
        words.all(|word| text.contains(word))
    };
    within(title, heading) || within(heading, title)
}

fn ids(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-')) {
        let mut letters = word.chars().filter(|letter| *letter != '-');
        let digits = letters.clone().filter(char::is_ascii_digit).count();
        let count = letters.clone().count();
        let hex = count >= HEX_DIGITS && letters.all(|letter| letter.is_ascii_hexdigit());
        let base_32 = !word.contains('-') && count >= LETTERS_AND_DIGITS && digits > 0;
        if hex || base_32 {
            found.push(word.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::ids;

    #[test]
    fn ids_are_found_and_dates_telephone_numbers_and_words_are_not() {
        let text = "On 26-11-2026 call +44 20 7946 0018 about the facade; £1,250.50 of 12,345,678";
        assert_eq!(ids(text), Vec::<String>::new());
        let uuid = "019cf3a1-9d2e-7c10-8a55-0b6f1de2a9c4";
        assert_eq!(ids(&format!("group {uuid}.")), [uuid]);
        assert_eq!(ids("head 00ff00ff00ff00ff"), ["00ff00ff00ff00ff"]);
        let record = "ndtks4n63bu32aq3olz33eiciaxrawggbja4goq";
        assert_eq!(ids(&format!("see {record}, please")), [record]);
    }
}
