"""The words that mail programs put above a message which they quote or forward, in the languages that they speak."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = 500
"""Characters of a line that are looked at."""

_WORDS = {
    "from": (
        "from|von|de|da|van|från|fra|lähettäjä|od|feladó|de la|kimden|gönderen|от|от кого|від|από|nadawca|odesílatel"
        "|odosielateľ|expéditeur|remitente|mittente|afzender|avsändare|afsender|avsender|absender|remetente"
        "|差出人|送信者|发件人|寄件者|寄件人|보낸 사람|보낸사람"
    ),
    "date": (
        "date|sent|datum|gesendet|gesendet am|envoyé|envoyé le|date d'envoi|fecha|enviado|enviado el|enviada|enviada em"
        "|enviado em|data|inviato|data invio|verzonden|verzonden op|skickat|sendt|dato|lähetetty|päivämäärä|päiväys"
        "|wysłano|odesláno|odoslané|dátum|elküldve|küldve|trimis|tarih|gönderilme tarihi|отправлено|дата|надіслано"
        "|ημερομηνία|εστάλη|poslano|日付|日時|送信日時|发送时间|日期|날짜|보낸 날짜"
    ),
    "to": (
        "to|an|à|a|para|aan|till|til|vastaanottaja|do|komu|címzett|către|kime|кому|до|προς|za|宛先|收件人|받는 사람"
        "|destinataire|destinatario|destinatário|empfänger|ontvanger|mottagare|modtager|adresat|alıcı"  # noqa: RUF001 - Turkish
    ),
    "cc": "cc|kopie|copie|cópia|kopia|kopi|kopio|kopija|másolat|bilgi|копия|копія|κοιν|抄送|副本|참조",
    "subject": (
        "subject|betreff|objet|sujet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|temat|předmět|predmet|tárgy"
        "|subiect|konu|тема|θέμα|zadeva|件名|主题|主旨|제목"
    ),
    "reply-to": (
        "reply-to|répondre à|antwort an|responder a|rispondi a|antwoord aan|odpowiedz do|svara till|responder para"
    ),
}
ROLES: Mapping[str, str] = {word: role for role, words in _WORDS.items() for word in words.split("|")}
"""What each word, case folded, says of the line that it stands before."""


def labelled(line: str) -> tuple[str, str]:
    """The role of a line `Label: value` and its value, quoted, bold or bulleted as it may be; both empty for others."""
    bare = line[:LONGEST].replace("\uff1a", ":").lstrip(" \t\xa0>|*_")
    head, colon, value = bare.partition(":")
    role = ROLES.get(head.strip(" \t\xa0*_").casefold(), "") if colon and len(head) <= 30 else ""
    return (role, value.strip(" \t\xa0*_")) if role else ("", "")
