;;; emacs --batch -l emacs_test.el: dunderstand through Eglot, with editors/emacs/dunderstand.el  -*- lexical-binding: t; -*-

(require 'package)
(package-initialize)
(load (expand-file-name "emacs/dunderstand.el" (getenv "EDITORS")) nil t)
(setq eglot-sync-connect 20
      make-backup-files nil
      ;; Emacs guesses the project by its version control; here there is none.
      project-find-functions (list (lambda (_) (cons 'transient default-directory))))

(setq-default eglot-workspace-configuration '(:dunderstand (:hover (:verbosity "brief"))))

(defun check (what is-so)
  (message "%s %s" (if is-so "ok  " "FAIL") what)
  (unless is-so (kill-emacs 1)))

(defun wait-for (what predicate)
  (let ((end (time-add nil 30)))
    (while (and (not (funcall predicate)) (time-less-p nil end))
      (accept-process-output nil 0.05)))
  (check what (funcall predicate)))

(defun ask (method)
  (jsonrpc-request (eglot--current-server-or-lose) method (eglot--TextDocumentPositionParams)))

(find-file "poll.py")
(call-interactively #'eglot)
(check "connected" (eglot-current-server))
(wait-for "diagnostic" #'flymake-diagnostics)
(check "its text" (string-match-p "time.sleep" (flymake-diagnostic-text (car (flymake-diagnostics)))))

(goto-char (point-min))
(search-forward "time.sl")
(let ((value (plist-get (plist-get (ask :textDocument/hover) :contents) :value)))
  (check "hover" (and (stringp value) (string-match-p "event loop" value)))
  (check "hover is brief, by the settings" (not (string-match-p "\n- " value))))

(let* ((actions (eglot-code-actions (line-beginning-position) (line-end-position) "quickfix"))
       (fix (seq-find (lambda (action) (string-match-p "asyncio.sleep" (plist-get action :title))) actions)))
  (check "quick fix offered" fix)
  (eglot--apply-workspace-edit (plist-get fix :edit)))
;; In batch mode Emacs is never idle, and Eglot sends changes when it is, or before it saves.
(save-buffer)
(wait-for "diagnostic gone" (lambda () (not (flymake-diagnostics))))
(with-temp-buffer
  (insert-file-contents "poll.py")
  (check "saved" (search-forward "await asyncio.sleep(0.1)" nil t)))
(message "Emacs %s" emacs-version)
(kill-emacs 0)
