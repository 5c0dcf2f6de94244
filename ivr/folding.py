"""One spelling for many: a text becomes plain words, so that careless and careful writing meet."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

BREAKS = ".,;:!?…\n\r()।॥،؛؟۔。，、；：！？（）|"
ASKING = "?؟？"
APOSTROPHES = dict.fromkeys(map(ord, "’‘ʼʹ`´ʻ＇"), "'")

# Arabic and Urdu keyboards differ in letters that a reader takes for the same one.
ARABIC = dict(zip("ىیئؤکةەہھۃٱںۓ", "يييوكهههههانے", strict=True))

# Marks that careful writers put and hurried ones leave out; Indic vowel signs are letters and stay.
DROPPED = {
    *map(chr, range(0x0300, 0x0370)),  # accents of Latin and Cyrillic, Vietnamese tones
    *map(chr, range(0x064B, 0x0660)),  # Arabic short vowels and seats of hamza
    *"\u0670\u0640\u0621",  # dagger alef, tatweel, lone hamza
    *"\u093c\u09bc\u0981\u0983",  # nukta; in Bengali also chandrabindu and visarga
    *map(chr, range(0xFE00, 0xFE10)),  # emoji variation selectors
    "\u20e3",  # the box of a keycap emoji
    *map(chr, range(0x1F3FB, 0x1F400)),  # skin tones
}
# Hindi and Bengali are written by ear: long vowels as short ones, three sibilants as one. Each pair is one letter.
BY_EAR = dict(zip("ीूैौईऊऐऔशषणँীূঈঊণশষযৎ", "िुेोइउएओससनंিুইউনসসজত", strict=True))
LETTERS = {**ARABIC, **BY_EAR, "đ": "d", "ð": "d", "ł": "l", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe"}

# Traditional characters of everyday and medical talk, and the simplified ones for them, in the same order.
TRADITIONAL = (
    "藥醫療體頭腦臉腫脹氣難過嗎沒麼這個們為爲來時間後開關話語國說説請讓應該還會樣學習幾點鐘電腸腳膽腎膚顏顧飯飲飽餓駕駛騎車輛嬰兒媽爺孫親屬婦產産懷餵嘔瀉燒熱發髮顫緊張攣縮強彊縱癱瘓癲癇"
    "驚風覺識暈導聽見聲驗證鬱悶慮殺傷絕斷續減輕劑總數雙兩億萬單顆裝錠針幫響報鈴滲裡裏內補給換繼選擇簡資訊問題於處優嚴險搶護診師複復雜檢壓臟髒離癮壞將從與對煩謝歡號碼簽綠紅藍黃變轉遲鈍滿"
    "飄懸掛誤錯買賣貴錢費窮餘盡嚥嗆嚨齒癢塊團蕁紓緩鬆馳靈動運損經節歲歷曆適釋書寫講談論誰邊遠遙東現實際進達項頁網絡線聯繫係愛罷備筆畢標別濱蠶層償嘗長場廠塵稱懲衝蟲觸辭帶擔當黨燈鄧敵遞訂"
    "凍獨讀頓奪墮爾罰範飛墳奮瘋負乾幹趕鋼鞏購穀颳觀館慣廣歸滾漢轟滬畫劃環揮匯穢夥獲擊雞積極夾價艱殲監堅薦鑒獎膠階潔結僅競舊劇據懼捲誇礦虧擴臘蠟蘭攔爛勞樂類淚厲禮麗憐練糧臨嶺劉龍樓錄陸亂"
    "倫羅馬罵邁貓門夢彌麵廟滅畝鳥寧農歐盤賠噴鵬憑評蘋僕撲齊遷淺槍牆橋竅慶區權勸確擾繞榮軟灑傘喪掃澀曬捨攝審聖勝濕獅視試飾壽獸樹術順絲蘇訴雖隨態壇嘆湯濤討騰條鐵廳統圖塗彎灣頑維偉衛穩務無"
    "霧戲細嚇鮮顯縣憲鄉詳銷曉嘯協鋅興須許緒尋訓鴨啞煙鹽陽養葉業異義藝陰銀隱營擁踴憂郵猶魚員園圓願約閱雲暫贊責則澤贈戰漲帳趙陣爭鄭職紙誌製質終種眾晝燭築專磚莊樁壯狀準濁鑽臺檯週祇隻喫癥佈"
    "採慾蹟跡妳甚著牀羣峯纔痠剋齡檔瘡癒瘉鹹醬飆靜靚韓頸額顎顱頻騙鬧黏齦膩臍螞蟻貝賬贏躍軀辦辯迴邏鄰醞釀鏡鑰閉閃闆陳隊韌頂預飼驅驟鬥鳴麥"
    "認記機廁褲脈嗶繩遺擋擠掙紮渾燙窩舉蕩夠謎盧譫鎖鏽饞瞞矇禍稅籤糾紗紀級納紛繃緻縫織纏聰蔭襪覽計託設註詞課調諮諾謊譜議豐財貪貸賀賊賞賴賽輪輸轎鈕鋪鍋鎮領鬍"
)
SIMPLIFIED = (
    "药医疗体头脑脸肿胀气难过吗没么这个们为为来时间后开关话语国说说请让应该还会样学习几点钟电肠脚胆肾肤颜顾饭饮饱饿驾驶骑车辆婴儿妈爷孙亲属妇产产怀喂呕泻烧热发发颤紧张挛缩强强纵瘫痪癫痫"
    "惊风觉识晕导听见声验证郁闷虑杀伤绝断续减轻剂总数双两亿万单颗装锭针帮响报铃渗里里内补给换继选择简资讯问题于处优严险抢护诊师复复杂检压脏脏离瘾坏将从与对烦谢欢号码签绿红蓝黄变转迟钝满"
    "飘悬挂误错买卖贵钱费穷余尽咽呛咙齿痒块团荨纾缓松驰灵动运损经节岁历历适释书写讲谈论谁边远遥东现实际进达项页网络线联系系爱罢备笔毕标别滨蚕层偿尝长场厂尘称惩冲虫触辞带担当党灯邓敌递订"
    "冻独读顿夺堕尔罚范飞坟奋疯负干干赶钢巩购谷刮观馆惯广归滚汉轰沪画划环挥汇秽伙获击鸡积极夹价艰歼监坚荐鉴奖胶阶洁结仅竞旧剧据惧卷夸矿亏扩腊蜡兰拦烂劳乐类泪厉礼丽怜练粮临岭刘龙楼录陆乱"
    "伦罗马骂迈猫门梦弥面庙灭亩鸟宁农欧盘赔喷鹏凭评苹仆扑齐迁浅枪墙桥窍庆区权劝确扰绕荣软洒伞丧扫涩晒舍摄审圣胜湿狮视试饰寿兽树术顺丝苏诉虽随态坛叹汤涛讨腾条铁厅统图涂弯湾顽维伟卫稳务无"
    "雾戏细吓鲜显县宪乡详销晓啸协锌兴须许绪寻训鸭哑烟盐阳养叶业异义艺阴银隐营拥踊忧邮犹鱼员园圆愿约阅云暂赞责则泽赠战涨帐赵阵争郑职纸志制质终种众昼烛筑专砖庄桩壮状准浊钻台台周只只吃症布"
    "采欲迹迹你什着床群峰才酸克龄档疮愈愈咸酱飙静靓韩颈额颚颅频骗闹粘龈腻脐蚂蚁贝账赢跃躯办辩回逻邻酝酿镜钥闭闪板陈队韧顶预饲驱骤斗鸣麦"
    "认记机厕裤脉哔绳遗挡挤挣扎浑烫窝举荡够谜卢谵锁锈馋瞒蒙祸税签纠纱纪级纳纷绷致缝织缠聪荫袜览计托设注词课调谘诺谎谱议丰财贪贷贺贼赏赖赛轮输轿钮铺锅镇领胡"
)
HAN = dict(zip(TRADITIONAL, SIMPLIFIED, strict=True))

SOUNDS = (
    (re.compile("ये"), "ए"),  # गये and गए
    (re.compile("यि"), "इ"),  # गयी and गई
    (re.compile("ं(?= |$)"), ""),  # नहीं and नही
    (re.compile("(?<=স)্ব"), ""),  # নিশ্বাস and নিশাস
    (re.compile(r"(?<=[^\s]{3}[িে])না(?= |$)"), " না"),  # পারছেনা is two words
)
NASALS = re.compile("[ङञणनम]्(?=[क-ह])|[ঙঞণনম]্(?=[ক-হ])")
ELISION = re.compile(r"\b([cdjlmnst]|qu)'(?=[aeiouh])")  # d'alcool is two words, don't is one
DECIMAL = re.compile(r"(\d)[.,]\d{1,2}(?!\d)")
THOUSANDS = re.compile(r"(\d)[.,](\d{3})(?!\d)")
DOUBLED = re.compile(r"([b-dghj-np-tv-zي])\1+|([^\W\d])\2{2,}")
LEET = re.compile(r"(?<=[a-z])[013457](?=[a-z])|\b0(?=[a-z]{3})")
UNITS = re.compile(r"(?<=\d)(?=[^\W\d])")
LEET_LETTERS = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t"}

ROMAN = tuple(
    (re.compile(pattern), letters)
    for pattern, letters in (
        (r"\b(?:n(?:a?h[ie]+n?|ai|ae|hin|ahin|h))\b", "nahi"),
        (r"a{2,}", "a"),
        (r"e{2,}|ii+", "i"),
        (r"o{2,}|uu+", "u"),
        (r"chh", "ch"),
        (r"ph", "f"),
        (r"w", "v"),
        (r"z", "j"),
        (r"q", "k"),
        (r"\bh(?:ai?n?|a?y|ei?n?|ae)?\b", "he"),  # hai, hain, hay, hy, h
        (r"\bm(?:ai?n?|ei?n?)?\b", "me"),  # main, mein, me, m
        (r"\bk\b", "ke"),
        (r"\bkr", "kar"),
        (r"\brh", "rah"),
        (r"\bg(?:ay?|y)(?=[aei]\b)", "gay"),  # gaya, gya, gayi, gai, gaye
        (r"(?<=[iy][ao])n\b", ""),  # goliyan, goliyon
        (r"ai|ay\b", "e"),
    )
)


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in plain words, each with the number of its clause."""

    words: tuple[str, ...]
    clauses: tuple[int, ...]
    asked: frozenset[int]  # clauses that end in a question mark

    @property
    def line(self) -> str:
        """All words with a space on either side, so that a phrase can say where a word begins or ends."""
        return f" {' '.join(self.words)} " if self.words else ""


class _Characters(dict[int, str]):
    """What becomes of each character; worked out when first met, then remembered."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _character(chr(code))
        return folded


def _character(character: str) -> str:
    if character in DROPPED or unicodedata.category(character) == "Cf":
        return ""
    if character in BREAKS:
        return " ? " if character in ASKING else " . "
    if is_han(character):
        return f" {HAN.get(character, character)} "
    return LETTERS.get(character) or _plain(character)


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category in {"So", "Sk"} and ord(character) > 0x2000:
        return f" {character} "  # an emoji is a word
    return character if category[0] in "LM" else " "


CHARACTERS = _Characters()


def is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff" or "\u3400" <= character <= "\u4dbf"


def fold(text: str) -> Folded:
    """The words of a text without case, accents, look-alike letters and stretched spelling."""
    words: list[str] = []
    clauses: list[int] = []
    asked: set[int] = set()
    clause = 0
    for word in _spell(text).split():
        if word not in ".?":
            words.append(word)
            clauses.append(clause)
            continue
        if word == "?" and clauses and clauses[-1] == clause:
            asked.add(clause)
        clause += 1
    return Folded(tuple(words), tuple(clauses), frozenset(asked))


def fold_words(text: str) -> str:
    """The folded words alone, one space between."""
    return " ".join(fold(text).words)


def _spell(text: str) -> str:
    text = unicodedata.normalize("NFKD", text).casefold()
    if not text.isascii() or "`" in text:
        text = text.translate(APOSTROPHES)
    if "'" in text:
        text = ELISION.sub(r"\1 ", text).replace("'", "")
    text = THOUSANDS.sub(r"\1\2", text)
    text = DECIMAL.sub(r"\1", text).replace("য়", "\u09df").translate(CHARACTERS)
    text = LEET.sub(lambda digit: LEET_LETTERS[digit[0]], text)
    if not text.isascii():
        text = NASALS.sub(_anusvara, text)
        for pattern, letters in SOUNDS:
            text = pattern.sub(letters, text)
    return DOUBLED.sub(r"\1\2", UNITS.sub(" ", text))


def _anusvara(nasal: re.Match[str]) -> str:
    return "ं" if nasal[0] < "ঀ" else "ং"


def romanise(line: str) -> str:
    """Hindi and Urdu in Latin letters, which everybody spells by ear; words stay where they are."""
    for pattern, letters in ROMAN:
        line = pattern.sub(letters, line)
    return line
