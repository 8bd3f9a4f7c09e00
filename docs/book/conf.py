"""Settings of the book's web page; `make book` calls Sphinx with them (varbook/book/site)."""

project = "varbook"
html_title = "varbook"
author = "The varbook authors"
copyright = "the varbook authors, MIT license"  # noqa: A001 (Sphinx's name)

extensions = ["myst_nb", "varbook.book.site.sphinx_parts"]
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_merge_streams = True
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
nb_ipywidgets_js: dict = {}  # widgets are kept as pictures; nothing is loaded from elsewhere
myst_enable_extensions = ["dollarmath", "colon_fence", "attrs_inline"]
myst_dmath_double_inline = True
html_math_renderer = "katex"

root_doc = "index"
exclude_patterns = ["extra"]
html_theme = "sphinx_book_theme"
html_theme_options = {
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_toc_level": 2,
    "show_navbar_depth": 1,
    "max_navbar_depth": 2,
    "navbar_start": [],
    "navbar_center": [],
    "navbar_end": [],
    "navbar_persistent": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
myst_heading_anchors = 3
html_context = {"default_mode": "auto"}
html_favicon = "static/favicon.svg"
html_static_path = ["static"]
html_css_files = ["katex/katex.min.css", "book.css"]
html_js_files = ["katex/katex.min.js", "book.js"]
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
