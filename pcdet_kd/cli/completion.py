"""Print a script that completes commands, options and names of models. For bash:
pcdet-kd completion bash > ~/.local/share/bash-completion/completions/pcdet-kd; for zsh:
pcdet-kd completion zsh > ~/.pcdet-kd.zsh and source ~/.pcdet-kd.zsh in ~/.zshrc.
"""

import argparse
import sys
from collections.abc import Iterator
from importlib import import_module
from unittest import mock

from pcdet_kd.cli.guard import guarded

_SCRIPT = """\
{head}_pcdet_kd() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} words=
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W '{commands}' -- "$word"))
        return
    fi
    case ${{COMP_WORDS[1]}} in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    case $word in
        -*) ;;
        *) COMPREPLY+=($(compgen -f -- "$word")) ;;
    esac
}}
complete -o filenames -F _pcdet_kd pcdet-kd
"""
_ZSH = 'autoload -U +X compinit bashcompinit && compinit && bashcompinit\n'


class _Found(BaseException):
    """Carries a parser out of a command that is about to parse."""


def parser_of(command: str) -> argparse.ArgumentParser:
    """Return the parser of a command."""
    module = import_module(f'pcdet_kd.cli.{command.replace("-", "_")}')

    def stop(self: argparse.ArgumentParser, *args: object, **kwargs: object) -> None:
        raise _Found(self)

    with mock.patch.object(argparse.ArgumentParser, 'parse_args', stop):
        try:
            module.main()
        except _Found as found:
            return found.args[0]
    raise RuntimeError(f'{command} parsed nothing')


def words_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield a parser's options, the choices of its positional arguments, and those of its
    sub-commands.
    """
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        yield from (option for option in action.option_strings if option.startswith('--'))
        if not action.option_strings and action.choices:
            yield from action.choices
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from words_of(sub)
        elif action.dest in ('config', 'model') or '--model' in action.option_strings:
            yield '$models'


@guarded
def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('shell', choices=['bash', 'zsh'])
    args = parser.parse_args()
    from pcdet_kd.apis import list_models
    from pcdet_kd.cli import COMMANDS

    cases = []
    for command in COMMANDS:
        words = dict.fromkeys(words_of(parser_of(command)))
        cases.append(f'        {command}) words="{" ".join(words)}" ;;')
    head = _ZSH if args.shell == 'zsh' else ''
    head += f"_pcdet_kd_models='{' '.join(list_models())}'\n"
    text = _SCRIPT.format(head=head, commands=' '.join(COMMANDS), cases='\n'.join(cases))
    sys.stdout.write(text.replace('$models', '$_pcdet_kd_models'))
