import type { CompletedCommand } from './model.ts';
import { tables } from './tables.ts';

/** To be sourced after compinit, or kept as `_coffer` in a folder of $fpath. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef coffer
# coffer's completion for zsh. In ~/.zshrc, after compinit: source <(coffer completion zsh)

${tables(commands)}

__coffer_complete() {
  case "$1" in
    files) _files ;;
    folders) _files -/ ;;
    recipients) compadd -- \${(f)"$("$coffer" completion --list recipients 2> /dev/null)"} ;;
    entries) compadd -- \${(f)"$("$coffer" completion --list entries --of "$2" 2> /dev/null)"} ;;
    words:*) compadd -- \${(s:,:)1#words:} ;;
  esac
}

_coffer() {
  local coffer="\${words[1]}" current="\${words[CURRENT]}" previous="\${words[CURRENT-1]}"
  local command="" place=1 file="" skip="" kind i
  if [[ "$current" == --*=* ]]; then
    previous="\${current%%=*}"
    compset -P '*='
  fi

  for ((i = 2; i < CURRENT; i++)); do
    __coffer_word "\${words[i]}"
  done

  kind="$(__coffer_value "$command" "$previous")"
  if [[ -n "$kind" ]]; then
    __coffer_complete "$kind" "$file"
  elif [[ "$current" == -* ]]; then
    compadd -- \${=$(__coffer_flags "$command")}
  elif [[ -n "$(__coffer_subcommands "$command")" ]]; then
    compadd -- \${=$(__coffer_subcommands "$command")}
  else
    local kinds=(\${=$(__coffer_arguments "$command")})
    # The argument before "..." may be repeated.
    if [[ "\${kinds[-1]}" == "..." ]] && ((place >= \${#kinds})); then place=$((\${#kinds} - 1)); fi
    __coffer_complete "\${kinds[place]}" "$file"
  fi
}

if [[ "\${funcstack[1]}" == _coffer ]]; then _coffer "$@"; else compdef _coffer coffer; fi
`;
}
