//! Pages as the elements they are made of: enough of a reader for what our own templates write, and
//! it fails where they write anything else.

/// An element with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    /// As written, entities resolved.
    pub attributes: Vec<(String, String)>,
    /// Places of the elements around it in [`Document::elements`], the outermost first.
    pub around: Vec<usize>,
    /// Its own text and that of what stands in it.
    pub text: String,
}

impl Element {
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// A page that was read.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub elements: Vec<Element>,
    /// Every piece of text with the elements around it.
    pub texts: Vec<(String, Vec<usize>)>,
}

/// Elements that hold nothing.
const VOID: [&str; 13] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

impl Document {
    /// Reads a page; what is not well formed is the error.
    pub fn read(page: &str) -> Result<Document, String> {
        let mut document = Document::default();
        let mut open: Vec<usize> = Vec::new();
        let mut rest = page;
        while !rest.is_empty() {
            let Some(begin) = rest.find('<') else {
                document.text(rest, &open);
                break;
            };
            document.text(&rest[..begin], &open);
            rest = &rest[begin..];
            if let Some(after) = rest.strip_prefix("<!DOCTYPE html>") {
                rest = after;
            } else if let Some(after) = rest.strip_prefix("</") {
                let end = after.find('>').ok_or("an end without end")?;
                let name = &after[..end];
                let last = open.pop().ok_or(format!("</{name}> closes nothing"))?;
                if document.elements[last].name != name {
                    let inner = &document.elements[last].name;
                    return Err(format!("</{name}> closes <{inner}>"));
                }
                rest = &after[end + 1..];
            } else {
                rest = document.element(rest, &mut open)?;
            }
        }
        match open.last() {
            None => Ok(document),
            Some(last) => Err(format!("<{}> is not closed", document.elements[*last].name)),
        }
    }

    fn text(&mut self, raw: &str, open: &[usize]) {
        if raw.is_empty() {
            return;
        }
        let text = resolved(raw);
        for place in open {
            self.elements[*place].text.push_str(&text);
        }
        self.texts.push((text, open.to_vec()));
    }

    fn element<'a>(&mut self, page: &'a str, open: &mut Vec<usize>) -> Result<&'a str, String> {
        let mut rest = &page[1..];
        let end = rest.find([' ', '>']).ok_or("a tag without end")?;
        let name = rest[..end].to_owned();
        let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        if name.is_empty() || !name.chars().all(fits) {
            return Err(format!("<{name}> is no element"));
        }
        rest = &rest[end..];
        let mut attributes: Vec<(String, String)> = Vec::new();
        while let Some(after) = rest.strip_prefix(' ') {
            let end = after
                .find(['=', ' ', '>'])
                .ok_or("an attribute without end")?;
            let name = after[..end].to_owned();
            rest = &after[end..];
            let value = match rest.strip_prefix("=\"") {
                None => String::new(),
                Some(quoted) => {
                    let end = quoted.find('"').ok_or("a value without end")?;
                    rest = &quoted[end + 1..];
                    resolved(&quoted[..end])
                }
            };
            if attributes.iter().any(|(known, _)| *known == name) {
                return Err(format!("{name} stands twice"));
            }
            attributes.push((name, value));
        }
        let rest = rest
            .strip_prefix('>')
            .ok_or(format!("<{name} is not ended"))?;
        self.elements.push(Element {
            name: name.clone(),
            attributes,
            around: open.clone(),
            text: String::new(),
        });
        if !VOID.contains(&name.as_str()) {
            open.push(self.elements.len() - 1);
        }
        Ok(rest)
    }

    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements
            .iter()
            .filter(move |element| element.name == name)
    }

    /// The elements that stand in one, at any depth.
    pub fn inside(&self, outer: usize) -> impl Iterator<Item = &Element> {
        self.elements
            .iter()
            .filter(move |element| element.around.contains(&outer))
    }
}

fn resolved(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

#[test]
fn what_templates_write_is_read_and_anything_else_is_refused() {
    let page = "<!DOCTYPE html><p class=\"a b\" hidden>1 &lt; 2<br>and <b>more</b></p>";
    let document = Document::read(page).unwrap();
    assert_eq!(document.elements[0].text, "1 < 2and more");
    assert_eq!(document.elements[0].get("class"), Some("a b"));
    assert!(document.elements[0].has("hidden"));
    assert_eq!(document.elements[2].around, [0]);
    for broken in [
        "<p>",
        "<p></b>",
        "</p>",
        "<p a=\"1\" a=\"2\"></p>",
        "<p a='1'></p>",
        "<img src=x onerror=alert(1)",
    ] {
        assert!(Document::read(broken).is_err(), "{broken}");
    }
}
