"""`scripts/accept-on-aws`: tapctl tried on a real account, once, with everything it says and hears written down.

`__main__` reads the arguments and asks; `trial` makes, tears down and reports; `scenario` has the steps; `desk` runs
tapctl; `forwarder` stands between tapctl and AWS and writes down what passes, through `recorder` and `masks`; `compare`
says where AWS and the local AWS differ. What anything costs stands in `prices`, and nowhere else.
"""
