"""Category names of everything in a house: ADE20K's where it has one, so that maps compare with public label sets."""

from __future__ import annotations

# The 150 classes of the scene parsing benchmark of Zhou et al., "Scene Parsing through ADE20K Dataset", CVPR 2017, by
# the first name of each, in that benchmark's order: ids 1 to 150 are its ids.
_SCENE_PARSING = """
wall, building, sky, floor, tree, ceiling, road, bed, windowpane, grass, cabinet, sidewalk, person, earth, door, table,
mountain, plant, curtain, chair, car, water, painting, sofa, shelf, house, sea, mirror, rug, field, armchair, seat,
fence, desk, rock, wardrobe, lamp, bathtub, railing, cushion, base, box, column, signboard, chest of drawers, counter,
sand, sink, skyscraper, fireplace, refrigerator, grandstand, path, stairs, runway, case, pool table, pillow,
screen door, stairway, river, bridge, bookcase, blind, coffee table, toilet, flower, book, hill, bench, countertop,
stove, palm, kitchen island, computer, swivel chair, boat, bar, arcade machine, hovel, bus, towel, light, truck, tower,
chandelier, awning, streetlight, booth, television receiver, airplane, dirt track, apparel, pole, land, bannister,
escalator, ottoman, bottle, buffet, poster, stage, van, ship, fountain, conveyer belt, canopy, washer, plaything,
swimming pool, stool, barrel, basket, waterfall, tent, bag, minibike, cradle, oven, ball, food, step, tank, trade name,
microwave, pot, animal, bicycle, lake, dishwasher, screen, blanket, sculpture, hood, sconce, vase, traffic light, tray,
ashcan, fan, pier, crt screen, plate, monitor, bulletin board, shower, radiator, glass, clock, flag
"""

# Things in our houses that the 150 leave out. All but the last are names from ADE20K's full vocabulary.
_MORE = """
cup, nightstand, baseboard, doorframe, windowsill, roof, hedge, picture, candlestick, jar, bowl, kettle, toaster,
laptop, keyboard, mouse, telephone, loudspeaker, umbrella stand, coat rack, hook, shoe, bathrobe, soap dispenser,
toothbrush, toilet paper, faucet, washbasin, worktop, extractor hood, magazine, document, globe, piano, guitar,
ladder, ironing board, laundry basket, high chair, bunk bed, crib, playpen, dollhouse, teddy, pouf, screen stand
"""

#: All category names; the index is the id in semantic maps. 0 is "unknown".
CATEGORIES: tuple[str, ...] = (
    "unknown",
    *(name.strip() for block in (_SCENE_PARSING, _MORE) for name in block.split(",")),
)

_IDS = {name: index for index, name in enumerate(CATEGORIES)}

# Everyday words for what ADE20K calls otherwise.
_SYNONYMS = {
    "television": "television receiver",
    "toy": "plaything",
    "window": "windowpane",
    "skirting": "baseboard",
    "fridge": "refrigerator",
    "washing machine": "washer",
    "bookshelf": "bookcase",
}


def category_id(name: str) -> int:
    """Return the id of a category name or an everyday synonym of one; raises ``KeyError`` where there is none."""
    return _IDS[_SYNONYMS.get(name, name)]
