//! What the page of a custodian says besides the notice, in every language that notices are written in.

use axum::http::{HeaderMap, header};

use crate::domain::NoticeLanguage;

/// The words of one language.
pub(super) struct NoticeWords {
    /// What the page is.
    pub title: &'static str,
    /// Before the day on which it was sent.
    pub sent: &'static str,
    /// Before the number of the text.
    pub version: &'static str,
    /// What somebody says who confirms.
    pub promise: &'static str,
    /// The button.
    pub confirm: &'static str,
    /// Before the time of an answer.
    pub confirmed: &'static str,
    /// How to keep it.
    pub print: &'static str,
    /// The hold is released.
    pub ended: &'static str,
    /// The link opens nothing.
    pub lost: &'static str,
    /// The field of the token.
    pub token: &'static str,
    /// How to fill it in.
    pub hint: &'static str,
    /// The button that opens.
    pub open: &'static str,
    /// To the content, for those who use keys.
    pub skip: &'static str,
}

const ENGLISH: NoticeWords = NoticeWords {
    title: "Notice to keep records",
    sent: "Sent on",
    version: "Text",
    promise: "I have read this notice and will keep what it names.",
    confirm: "Confirm",
    confirmed: "Confirmed on",
    print: "Print this page or save it as PDF with your browser to keep a copy.",
    ended: "This duty has ended. Nothing is to be confirmed.",
    lost: "This link opens nothing: it has ended, was replaced, or is not complete. Ask who sent it for a new one.",
    token: "Code of the link",
    hint: "What stands behind the # of the address you were sent.",
    open: "Open the notice",
    skip: "Skip to content",
};

const PORTUGUESE: NoticeWords = NoticeWords {
    title: "Aviso para conservar registos",
    sent: "Enviado em",
    version: "Texto",
    promise: "Li este aviso e vou conservar o que ele indica.",
    confirm: "Confirmar",
    confirmed: "Confirmado em",
    print: "Imprima esta página ou guarde-a como PDF no navegador para ficar com uma cópia.",
    ended: "Este dever terminou. Não há nada a confirmar.",
    lost: "Esta ligação não abre nada: terminou, foi substituída ou está incompleta. Peça uma nova a quem a enviou.",
    token: "Código da ligação",
    hint: "O que está depois do # no endereço que recebeu.",
    open: "Abrir o aviso",
    skip: "Ir para o conteúdo",
};

const SPANISH: NoticeWords = NoticeWords {
    title: "Aviso de conservación de registros",
    sent: "Enviado el",
    version: "Texto",
    promise: "He leído este aviso y conservaré lo que indica.",
    confirm: "Confirmar",
    confirmed: "Confirmado el",
    print: "Imprima esta página o guárdela como PDF con el navegador para tener una copia.",
    ended: "Este deber ha terminado. No hay nada que confirmar.",
    lost: "Este enlace no abre nada: ha caducado, fue sustituido o está incompleto. Pida uno nuevo a quien lo envió.",
    token: "Código del enlace",
    hint: "Lo que está detrás de # en la dirección que recibió.",
    open: "Abrir el aviso",
    skip: "Ir al contenido",
};

const GERMAN: NoticeWords = NoticeWords {
    title: "Schreiben zur Aufbewahrung",
    sent: "Gesendet am",
    version: "Text",
    promise: "Ich habe dieses Schreiben gelesen und bewahre auf, was es nennt.",
    confirm: "Bestätigen",
    confirmed: "Bestätigt am",
    print: "Drucken Sie diese Seite oder speichern Sie sie im Browser als PDF, um sie zu behalten.",
    ended: "Diese Pflicht ist beendet. Es ist nichts zu bestätigen.",
    lost: "Dieser Link öffnet nichts: Er ist abgelaufen, ersetzt oder unvollständig. Bitten Sie den Absender um einen neuen.",
    token: "Code des Links",
    hint: "Was in der Adresse, die Sie bekommen haben, hinter dem # steht.",
    open: "Schreiben öffnen",
    skip: "Zum Inhalt",
};

const ARABIC: NoticeWords = NoticeWords {
    title: "إشعار بالاحتفاظ بالسجلات",
    sent: "أُرسل في",
    version: "النص",
    promise: "قرأت هذا الإشعار وسأحتفظ بما يذكره.",
    confirm: "تأكيد",
    confirmed: "تم التأكيد في",
    print: "اطبع هذه الصفحة أو احفظها بصيغة PDF من المتصفح للاحتفاظ بنسخة.",
    ended: "انتهى هذا الواجب. لا يوجد ما يلزم تأكيده.",
    lost: "هذا الرابط لا يفتح شيئا: انتهت صلاحيته أو استُبدل أو أنه ناقص. اطلب رابطا جديدا ممن أرسله.",
    token: "رمز الرابط",
    hint: "ما يأتي بعد علامة # في العنوان الذي وصلك.",
    open: "فتح الإشعار",
    skip: "انتقل إلى المحتوى",
};

/// The words of a language.
pub(super) const fn words(language: NoticeLanguage) -> &'static NoticeWords {
    match language {
        NoticeLanguage::English => &ENGLISH,
        NoticeLanguage::Portuguese => &PORTUGUESE,
        NoticeLanguage::Spanish => &SPANISH,
        NoticeLanguage::German => &GERMAN,
        NoticeLanguage::Arabic => &ARABIC,
    }
}

/// The first language a browser asks for that notices are written in (RFC 9110, section 12.5.4; the
/// order counts, weights do not).
pub(super) fn preferred(headers: &HeaderMap) -> NoticeLanguage {
    headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .split(',')
        .find_map(|part| NoticeLanguage::from_tag(part.split(';').next().unwrap_or_default()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn h11_a_stranger_is_met_in_a_language_of_theirs() {
        let asked = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(text));
            preferred(&headers)
        };
        assert_eq!(
            asked("fr-FR, de-AT;q=0.8, en;q=0.5"),
            NoticeLanguage::German
        );
        assert_eq!(asked("ar"), NoticeLanguage::Arabic);
        assert_eq!(asked("xx"), NoticeLanguage::English);
        assert_eq!(preferred(&HeaderMap::new()), NoticeLanguage::English);
    }
}
