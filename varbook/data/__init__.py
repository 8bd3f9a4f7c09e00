"""Where pictures come from: the toy world, folders of photographs, and the two forms in which
pictures travel.
"""
