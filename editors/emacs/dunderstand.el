;;; dunderstand.el --- What Python code does at run time, through Eglot  -*- lexical-binding: t; -*-

;; Eglot runs one server for a major mode: with this file, `M-x eglot' in a Python buffer starts dunderstand.
;; Beside a type checker, use lsp-mode, which runs several.

;;; Code:

(require 'eglot)

(add-to-list 'eglot-server-programs '((python-mode python-ts-mode) . ("dunderstand" "server")))

;; Settings, as in [tool.dunderstand] of pyproject.toml:
;; (setq-default eglot-workspace-configuration '(:dunderstand (:hover (:verbosity "brief"))))

(provide 'dunderstand)
;;; dunderstand.el ends here
