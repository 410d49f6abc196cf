"""The demo's makers, what they make, and what each pool offers."""

from typing import Final, NamedTuple


class Maker(NamedTuple):
    name: str
    craft: str
    town: str
    distance_km: int
    person: str
    picture: str
    story: str


class Product(NamedTuple):
    """What a maker makes; `key` is the name of its drawing. Prices and deposits are in cents."""

    key: str
    maker: str
    name: str
    unit: tuple[str, str]
    line: str
    family: str
    price_minor: int
    deposit_minor: int = 0
    cap: int | None = None
    min_age: int | None = None
    story: str = ""


class Batch(NamedTuple):
    """A batch in a pool. `made` is what its maker reported, None before it is made; `popularity` is how many of a hundred wish for it."""

    product: str
    lot: str
    planned: int
    popularity: int
    most: int
    made: int | None = None
    broken: int = 0
    words: str = ""
    begun: bool = True
    surplus: str = "next_pool"


DISTILLERY: Final = "Marsh & Alder Distillery"
PRESERVES: Final = "Orchard Lane Preserves"
POTTERY: Final = "Quay Street Pottery"
PRESS: Final = "Tern Press"
BEES: Final = "Heatherbank Bees"
SOAP: Final = "The Soap Shed"
WEAVERS: Final = "Three Ewes Weavers"
WOOD: Final = "Withy & Ash"
CIDER: Final = "Tobervale Cider Works"

MAKERS: Final = (
    Maker(
        DISTILLERY,
        "small-batch gin",
        "Riverside",
        4,
        "Maeve Doran",
        "hedgerow-gin",
        "Maeve and her brother Donal run one copper still, no. 2, in the old ferry house. A run gives about two dozen bottles, and what grows in the hedges decides which month it is.\n\n"
        "Sloe, rowan and bog myrtle are picked by hand within a morning's walk. If the frost takes the sloes there is no hedgerow gin that month, and we say so.",
    ),
    Maker(
        PRESERVES,
        "jams & pickles",
        "Ballinree",
        9,
        "Rosaleen Kehoe",
        "damson-jam",
        "Everything is boiled in open pans, twenty-two jars at a time. The damsons come from six old trees behind the house and from neighbours who would rather have jam than wasps.\n\n"
        "Jars come back: there is a deposit of fifty cents on each.",
    ),
    Maker(
        POTTERY,
        "salt-glazed stoneware",
        "Riverside",
        2,
        "Joost Vermeer",
        "salt-glaze-cup",
        "Joost throws on a kick wheel and fires with wood four times a year. A firing takes thirty hours, two friends and most of a tree that the storm took.\n\n"
        "Salt glaze does as it pleases. About one pot in ten does not come out of the kiln whole, so a firing is counted when the door is open and not before.",
    ),
    Maker(
        PRESS,
        "linocut & letterpress",
        "Dunmara",
        14,
        "Sinéad Ó Cathail",
        "linocut-print",
        "An Albion hand press from 1863, one colour a day. Editions are numbered, signed, and never printed again: the block is cut on for the next colour, so there is no way back.",
    ),
    Maker(
        BEES,
        "heather honey & candles",
        "Glenarra",
        18,
        "Fergal Tighe",
        "heather-honey",
        "Forty hives go up to the heather in August and come down before the first storm. Heather honey sets like jelly and has to be pressed, comb by comb.\n\n"
        "What wax is left becomes candles through the winter.",
    ),
    Maker(
        SOAP,
        "cold-process soap",
        "Castlebrook",
        11,
        "Amina Yusuf",
        "lavender-soap",
        "Olive oil, shea and the lavender of the walled garden at Castlebrook. A bar is stirred in an hour and then waits six weeks on the shelf; so a batch is promised long before it can be sold.",
    ),
    Maker(
        WEAVERS,
        "hand-spun & handwoven wool",
        "Knockadoon",
        23,
        "Bríd Nic Aodha",
        "wool-skein",
        "It began with three ewes and an argument about what wool is worth. Now there are thirty sheep, two looms and a spinning circle on Thursdays.\n\n"
        "Colours are from weld, madder and walnut, and no two skeins agree.",
    ),
    Maker(
        WOOD,
        "baskets & spoons",
        "Kilbracken",
        16,
        "Piotr Zieliński",
        "willow-basket",
        "Piotr cuts his own willow in January and weaves it from October. Ash and cherry for the spoons come from windfalls; a spoon is carved green in an evening and dries for a month.",
    ),
    Maker(
        CIDER,
        "cider vinegar & oatcakes",
        "Tobervale",
        7,
        "Grace Molloy",
        "cider-vinegar",
        "Apples of nobody's particular orchard, pressed in October, left alone until they are cider and then left alone until they are vinegar. It takes about a year and very little work, Grace says.\n\n"
        "The oatcakes are from the same kitchen, on days when the press is quiet.",
    ),
)

_BOTTLE, _JAR, _PIECE = ("bottle", "bottles"), ("jar", "jars"), ("piece", "pieces")

PRODUCTS: Final = (
    Product("hedgerow-gin", DISTILLERY, "Hedgerow gin, 50 cl", _BOTTLE, "Sloe, rowan and bog myrtle, copper still no. 2.", "spirits", 3400, 0, 4, 18,
            "Forty-two per cent. Each bottle is numbered by hand with the day of its run."),
    Product("damson-jam", PRESERVES, "Damson jam, 340 g", _JAR, "Open-pan, 22 jars a boil.", "preserves", 520, 50, 12, None,
            "Damsons, sugar and the juice of a lemon. The stones are taken out by hand, most of them."),
    Product("green-tomato-chutney", PRESERVES, "Green tomato chutney, 280 g", _JAR, "What the first frost left on the vine.", "preserves", 480, 50, 12),
    Product("salt-glaze-cup", POTTERY, "Salt-glaze cup", ("cup", "cups"), "Wood-fired; holds a good mug of tea.", "pots", 1800, 0, 6),
    Product("stoneware-bowl", POTTERY, "Stoneware bowl, 22 cm", ("bowl", "bowls"), "For the middle of the table.", "pots", 3200, 0, 2),
    Product("linocut-print", PRESS, "“The Weir”, linocut", ("print", "prints"), "Four colours on 240 g paper, 30 by 40 cm, signed.", "prints", 2500, 0, 2),
    Product("letterpress-calendar", PRESS, "Letterpress calendar", ("calendar", "calendars"), "Twelve cards in wood type; moon and tides.", "prints", 1600, 0, 4),
    Product("heather-honey", BEES, "Heather honey, 340 g", _JAR, "Pressed, not spun. From the slopes of Glenarra.", "preserves", 850, 50, 6),
    Product("beeswax-candle", BEES, "Beeswax candles, a pair", ("pair", "pairs"), "Dipped eighteen times; about nine hours each.", "candles", 950, 0, 6),
    Product("lavender-soap", SOAP, "Lavender soap, 110 g", ("bar", "bars"), "Olive oil and shea; six weeks on the shelf.", "soap", 640, 0, 8),
    Product("wool-skein", WEAVERS, "Hand-spun skein, 100 g", ("skein", "skeins"), "Double knit, dyed with weld and madder.", "wool", 1400, 0, 6),
    Product("woven-scarf", WEAVERS, "Woven scarf", ("scarf", "scarves"), "Herringbone, lambswool, two metres.", "wool", 4800, 0, 2),
    Product("willow-basket", WOOD, "Willow basket", ("basket", "baskets"), "For the market; takes a week's shopping.", "wood", 3800, 0, 2),
    Product("wooden-spoon", WOOD, "Cherry spoon", ("spoon", "spoons"), "Carved green, oiled with linseed.", "wood", 1200, 0, 4),
    Product("cider-vinegar", CIDER, "Cider vinegar, 50 cl", _BOTTLE, "With the mother. A year in oak.", "larder", 720, 30, 6),
    Product("oatcakes", CIDER, "Oatcakes, a dozen", ("box", "boxes"), "Pinhead oats, butter, sea salt.", "larder", 430, 0, 6),
)  # fmt: skip

POOLS: Final = (
    (
        "Larder pool",
        (
            Batch("hedgerow-gin", "MA-11", 24, 62, 2, 15, 1, "A short run: the rowans were late and we would not wait for the frost."),
            Batch("damson-jam", "OL-28", 66, 74, 4, 66, 0, "Four boils from the six trees. A good year."),
            Batch("green-tomato-chutney", "OL-29", 22, 34, 3, 19, 2),
            Batch("salt-glaze-cup", "QS-07", 14, 46, 2, 9, 4, "The back of the kiln ran hot, and four cups with it."),
            Batch("linocut-print", "TP-15", 25, 40, 1, 25),
            Batch("heather-honey", "HB-03", 30, 66, 3, 24, 0, "The last of the August heather."),
            Batch("lavender-soap", "SS-40", 36, 40, 3, 36),
            Batch("wool-skein", "TE-19", 14, 26, 2, 13),
            Batch("wooden-spoon", "WA-22", 18, 40, 2, 18),
            Batch("cider-vinegar", "CW-08", 30, 44, 2, 30),
        ),
    ),
    (
        "Hearth pool",
        (
            Batch("hedgerow-gin", "MA-12", 24, 64, 2, 19, 0, "Sloes after the first frost, as it should be."),
            Batch("damson-jam", "OL-31", 44, 68, 4, 33, 0, "One boil caught. We are sorry: thirty-three is what there is."),
            Batch("stoneware-bowl", "QS-08", 10, 44, 1, 0, 10, "A shelf fell in the kiln at four in the morning, and nothing of this batch came out whole."),
            Batch("salt-glaze-cup", "QS-09", 14, 40, 2, 9, 2),
            Batch("beeswax-candle", "HB-04", 24, 44, 3, 34, 0, "There was more wax than we thought, so there are more candles.", surplus="artisan"),
            Batch("lavender-soap", "SS-41", 24, 34, 3, 24),
            Batch("woven-scarf", "TE-20", 6, 30, 1, 4),
            Batch("willow-basket", "WA-23", 8, 34, 1, 5),
            Batch("cider-vinegar", "CW-09", 30, 40, 2, 30),
            Batch("oatcakes", "CW-10", 40, 50, 3, 36),
        ),
    ),
    (
        "Lantern pool",
        (
            Batch("hedgerow-gin", "MA-13", 20, 60, 2, words="The pears of the old ferry orchard go in with the sloes this time."),
            Batch("damson-jam", "OL-33", 44, 66, 3, words="The last damsons, from the freezer of the parish hall."),
            Batch("green-tomato-chutney", "OL-34", 22, 40, 3, begun=False),
            Batch("salt-glaze-cup", "QS-10", 20, 44, 2, words="The winter firing. Unloaded on the morning after the cut-off.", begun=False),
            Batch("letterpress-calendar", "TP-16", 40, 56, 2, words="January and February are printed; the tide tables are being set."),
            Batch("linocut-print", "TP-17", 25, 34, 1),
            Batch("heather-honey", "HB-05", 24, 60, 2),
            Batch("beeswax-candle", "HB-06", 36, 48, 3),
            Batch("lavender-soap", "SS-42", 36, 36, 3, words="Stirred six weeks ago; it is ready to cut."),
            Batch("wool-skein", "TE-21", 16, 28, 2, begun=False),
            Batch("willow-basket", "WA-24", 8, 36, 1),
            Batch("wooden-spoon", "WA-25", 20, 40, 2, begun=False),
            Batch("cider-vinegar", "CW-11", 30, 38, 2),
            Batch("oatcakes", "CW-12", 30, 48, 3, begun=False),
        ),
    ),
)  # fmt: skip
