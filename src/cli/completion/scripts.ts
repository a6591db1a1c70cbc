/** Completion scripts for shells. They call `kv __complete`, which prints one candidate per line. */

const BASH = String.raw`# kv completion for bash. Add to ~/.bashrc:  source <(kv completion bash)
_kv_complete() {
  local line="\${COMP_LINE:0:COMP_POINT}" words candidate
  read -ra words <<< "$line"
  # A space before the cursor begins a new word.
  [[ "$line" == *[[:space:]] ]] && words+=("")
  local current="\${words[\${#words[@]}-1]}" cut=""
  # bash splits words at : and =, and completes only what follows.
  if [[ "$current" == *[:=]* ]]; then cut="\${current%"\${current##*[:=]}"}"; fi
  COMPREPLY=()
  while IFS= read -r candidate; do
    COMPREPLY+=("$(printf '%q' "\${candidate#"$cut"}")")
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _kv_complete kv
`.replaceAll("\\$", "$");

const ZSH = String.raw`#compdef kv
# kv completion for zsh. Add to ~/.zshrc, after compinit:  source <(kv completion zsh)
_kv() {
  local -a candidates
  candidates=("\${(@f)$("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=(\${candidates:#})
  if (( \${#candidates} )); then
    compadd -- "\${candidates[@]}"
  else
    _files
  fi
}
compdef _kv kv
`.replaceAll("\\$", "$");

const FISH = String.raw`# kv completion for fish:  kv completion fish > ~/.config/fish/completions/kv.fish
function __kv_complete
    set -l words (commandline -opc) (commandline -ct)
    command $words[1] __complete -- $words[2..-1] 2>/dev/null
end
complete -c kv -f -a '(__kv_complete)'
# Commands with a file argument.
complete -c kv -n '__fish_seen_subcommand_from import export' -F
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
export type Shell = keyof typeof SCRIPTS;
