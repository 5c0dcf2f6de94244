"""SMS segments: what Twilio's own calculator (npm sms-segments-calculator 1.3.0) counted for these texts.

It keeps clusters of emoji or combining marks whole at a segment's end, which no carrier promises and we do not.
"""

from __future__ import annotations

import pytest

from ivr.wording import segments

GSM = [
    ("", 1),
    ("a", 1),
    ("SIDE EFFECTS", 1),
    ("a" * 160, 1),
    ("a" * 161, 2),
    ("a" * 306, 2),
    ("a" * 307, 3),
    ("a" * 459, 3),
    ("a" * 460, 4),
    ("a" * 1600, 11),
    ("^{}\\[]~|€", 1),
    ("\f" * 80, 1),
    ("€" * 80, 1),
    ("€" * 81, 2),
    ("€" * 152, 2),
    ("€" * 153, 3),
    ("a" * 159 + "€", 2),
    ("a" * 158 + "€", 1),
    ("a" * 152 + "€" + "a" * 152, 3),
    ("a" * 152 + "€" + "a" * 151, 2),
    ("{" * 229, 4),
    ("@£$¥èéùìòÇ\nØø\rÅå", 1),
    ("Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./", 1),
    ("¡¿ÄÖÑÜ§äöñüà", 1),
    ("line one\nline two\r\nline three", 1),
    ("é" * 160, 1),
    ("é" * 161, 2),
    ("Emergency? Call 999 (Kenya) or go to the nearest hospital. Do not stop baclofen suddenly.", 1),
    ("¿Emergencia? Llame al 911 (Mexico) o vaya al hospital mas cercano. No deje el baclofeno de golpe.", 1),
    ("Urgence ? Appelez le 15 ou allez a l'hopital. N'arretez pas le baclofène d'un coup.", 1),
    ("Dharura? Nenda hospitali ya karibu au piga namba ya dharura ya nchi yako. " * 3, 2),
    ("Emergency? Sabse nazdeeki aspataal jaiye. Baclofen achanak band na karen. " * 2, 1),
    ("Emergency? Qareebi hospital jaein. Baclofen achanak band na karein. " * 3, 2),
]
UCS = [
    ("á", 1),
    ("á" * 70, 1),
    ("á" * 71, 2),
    ("á" * 134, 2),
    ("á" * 135, 3),
    ("á" * 201, 3),
    ("á" * 202, 4),
    ("á" + "a" * 1599, 24),
    ("ç", 1),
    ("`", 1),
    ("\t", 1),
    ("’", 1),
    ("“baclofen”", 1),
    ("Do not stop baclofen suddenly – it can be dangerous.", 1),
    ("Do not stop baclofen suddenly…", 1),
    ("\u00a0", 1),
    ("😀", 1),
    ("😀" * 35, 1),
    ("😀" * 36, 2),
    ("a" * 66 + "😀" + "a" * 66, 3),
    ("a" * 65 + "😀" * 2, 1),
    ("😀" * 67, 3),
    ("¿Emergencia? Llame al 911 (México) o vaya al hospital más cercano. Mañana, aún no.", 2),
    ("Urgence ? Appelez le 15 ou allez à l’hôpital. N’arrêtez pas le baclofène d’un coup.", 2),
    ("Emergência? Ligue 192 ou vá ao hospital mais próximo. Não pare o baclofeno de repente.", 2),
    ("طوارئ؟ اذهب إلى أقرب مستشفى.", 1),
    ("आपातकाल? सबसे नज़दीकी अस्पताल जाएँ। " * 3, 2),
    ("জরুরি? কাছের হাসপাতালে যান। " * 3, 2),
    ("ہنگامی حالت؟ قریبی ہسپتال جائیں۔ " * 2, 1),
    ("紧急情况？请去最近的医院。不要突然停用巴氯芬。" * 3, 1),
    ("Экстренно? Идите в ближайшую больницу. " * 2, 2),
    ("Cấp cứu? Hãy đến bệnh viện gần nhất. " * 2, 2),
    ("आ" * 70, 1),
    ("आ" * 71, 2),
    ("紧" * 134, 2),
    ("紧" * 135, 3),
]


@pytest.mark.parametrize(("text", "count"), GSM)
def test_a_text_of_gsm_letters_counts_as_twilio_counts_it(text: str, count: int) -> None:
    assert segments(text) == ("GSM-7", count)


@pytest.mark.parametrize(("text", "count"), UCS)
def test_one_other_letter_makes_the_whole_text_ucs_2(text: str, count: int) -> None:
    assert segments(text) == ("UCS-2", count)
