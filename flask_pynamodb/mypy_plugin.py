"""mypy plug-in, `plugins = ["flask_pynamodb.mypy_plugin"]`: resolves `db.Model` as a base class.

mypy looks a base class up by its name, and only in modules and classes; `db` is a variable. So the
plug-in declares `db` as a class that has the attribute `Model`, and whose metaclass is `PynamoDB`:
everything else about `db` is then looked up there. Other type checkers need no plug-in.
"""

from collections.abc import Callable
from typing import cast

from mypy.mro import calculate_mro
from mypy.nodes import GDEF, MDEF, Block, ClassDef, RefExpr, SymbolTable, SymbolTableNode, TypeInfo
from mypy.plugin import DynamicClassDefContext, Plugin, SemanticAnalyzerPluginInterface
from mypy.types import Instance

_EXTENSION = "flask_pynamodb.extension.PynamoDB"
_MODEL = "flask_pynamodb.model.Model"


class ModelPlugin(Plugin):
    """Declares each variable to which a `PynamoDB` is assigned."""

    def get_dynamic_class_hook(
        self, fullname: str
    ) -> Callable[[DynamicClassDefContext], None] | None:
        """Return the hook for calls of `PynamoDB` and of classes derived from it."""
        called = self.lookup_fully_qualified(fullname)
        if called and isinstance(called.node, TypeInfo) and called.node.has_base(_EXTENSION):
            return _declare
        return None


def plugin(version: str) -> type[Plugin]:
    """Return the plug-in for a version of mypy, which calls this function."""
    return ModelPlugin


def _declare(context: DynamicClassDefContext) -> None:
    api = context.api
    extension, model = _called(context), _model_class(context)
    meta = _make_class(api, f"{context.name}@extension", _class(api, "builtins.type"), extension)
    declared = _make_class(api, context.name, _class(api, "builtins.object"))
    declared.metaclass_type = declared.declared_metaclass = Instance(meta, [])
    declared.names["Model"] = SymbolTableNode(MDEF, model)


def _called(context: DynamicClassDefContext) -> TypeInfo:
    """Return `PynamoDB`, or the derived class that is called."""
    return _class(context.api, cast(RefExpr, context.call.callee).fullname)


def _model_class(context: DynamicClassDefContext) -> TypeInfo:
    """Return the class in the argument `model_class`, or `Model`."""
    for name, value in zip(context.call.arg_names, context.call.args, strict=True):
        if (
            name == "model_class"
            and isinstance(value, RefExpr)
            and isinstance(value.node, TypeInfo)
        ):
            return value.node
    return _class(context.api, _MODEL)


def _class(api: SemanticAnalyzerPluginInterface, fullname: str) -> TypeInfo:
    return cast(TypeInfo, api.lookup_fully_qualified(fullname).node)


def _make_class(api: SemanticAnalyzerPluginInterface, name: str, *bases: TypeInfo) -> TypeInfo:
    """Return a new class, known by its name in the current scope."""
    definition = ClassDef(name, Block([]))
    definition.fullname = api.qualified_name(name)
    info = TypeInfo(SymbolTable(), definition, api.cur_mod_id)
    definition.info = info
    info.bases = [Instance(base, []) for base in bases]
    calculate_mro(info)
    api.add_symbol_table_node(name, SymbolTableNode(GDEF, info))
    return info
