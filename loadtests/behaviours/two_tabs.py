"""Two tabs at once: every add comes with another one, of another article, before the first can be answered."""

from collections.abc import Iterator

from loadtests.behaviours.workload import Behaviour, ShopperDraw, Step

APART_MS = 5  # at most so much later is the second tab: mostly before the first is answered


class TwoTabs(Behaviour):
    """Adds in pairs, of different articles, so that either can be missed."""

    name = "two-tabs"
    sentence = "They shop in two tabs: whenever one adds an article, the other adds another one within 5 ms."
    pace = 1.5

    def steps(self, draw: ShopperDraw) -> Iterator[Step]:
        when = draw.moments()
        yield Step(int(next(when)), "login")
        basket = draw.basket()
        last_ms = 0
        for at_ms in when:
            step = basket.next(max(int(at_ms), last_ms))
            yield step
            last_ms = step.at_ms
            if step.do == "add":
                last_ms += draw.chance.randint(0, APART_MS)
                yield basket.add(last_ms, but=step.sku)._replace(beside=True)
