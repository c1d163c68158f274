import type { CompletedCommand } from './model.ts';
import { tables } from './tables.ts';

/** Needs nothing but bash 3.2: neither the bash-completion package nor a newer bash. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  return `# coffer's completion for bash. In ~/.bashrc: source <(coffer completion bash)

${tables(commands)}

__coffer_candidates() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen "$@" -- "$current"))
}

__coffer_complete() {
  local words
  case "$1" in
    files) compopt -o filenames 2> /dev/null; __coffer_candidates -f ;;
    folders) compopt -o filenames 2> /dev/null; __coffer_candidates -d ;;
    recipients) __coffer_candidates -W "$("$coffer" completion --list recipients 2> /dev/null)" ;;
    entries) __coffer_candidates -W "$("$coffer" completion --list entries --of "$2" 2> /dev/null)" ;;
    words:*) words="\${1#words:}"; __coffer_candidates -W "\${words//,/$'\\n'}" ;;
  esac
}

_coffer() {
  local coffer="\${COMP_WORDS[0]}" current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="" place=0 file="" skip="" kind i
  COMPREPLY=()
  # bash takes "--flag=value" for three words.
  if [[ "$current" == "=" ]]; then current=""; fi
  if [[ "$previous" == "=" ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi

  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ "\${COMP_WORDS[i]}" != "=" ]]; then __coffer_word "\${COMP_WORDS[i]}"; fi
  done

  kind="$(__coffer_value "$command" "$previous")"
  if [[ -n "$kind" ]]; then
    __coffer_complete "$kind" "$file"
  elif [[ "$current" == -* ]]; then
    __coffer_candidates -W "$(__coffer_flags "$command" | tr ' ' '\\n')"
  elif [[ -n "$(__coffer_subcommands "$command")" ]]; then
    __coffer_candidates -W "$(__coffer_subcommands "$command" | tr ' ' '\\n')"
  else
    local kinds
    read -r -a kinds <<< "$(__coffer_arguments "$command")"
    # The argument before "..." may be repeated.
    if ((place > 0)) && [[ "\${kinds[\${#kinds[@]}-1]}" == "..." ]] && ((place >= \${#kinds[@]} - 1)); then
      place=$((\${#kinds[@]} - 2))
    fi
    __coffer_complete "\${kinds[place]}" "$file"
  fi
}

complete -F _coffer coffer
`;
}
